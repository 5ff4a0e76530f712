"""From files of rows to the rows that are not alone: pool, identity, cells, digests."""
