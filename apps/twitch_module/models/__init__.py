"""The database: tables, migrations, the one way to open a transaction, and every query."""
