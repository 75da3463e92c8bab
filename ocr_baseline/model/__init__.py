"""What travels: a run as it was read, the document of its report, and what stays private."""
