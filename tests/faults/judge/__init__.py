"""The judge: reads the record of a run, and says of each promise whether it was kept."""
