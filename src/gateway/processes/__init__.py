"""Several processes of one kind, which listen on one port and are kept running by their parent."""
