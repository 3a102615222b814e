"""Recorded activity as a task: what populations did while a network learned, which a rule is to explain.

recordings.py  the task, and an episode of it, which replays a recording
file.py        recordings in an `.npz` file
"""
