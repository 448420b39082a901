"""The store on SQL: SQLite now, and written so that PostgreSQL can follow."""
