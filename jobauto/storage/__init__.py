"""The database: connections and transactions, partitions, distribution, bulk copies, backups."""
