"""The queue of many processes, over Redis Streams. Redis holds nothing that anybody would miss."""
