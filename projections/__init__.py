"""What people look at: one file is a table, its handlers, its queries and its row types."""
