"""Text of any report: scaled numbers, tables, escapes, fixed wording."""
