"""What several commands need.

options.py subjects.py task_option.py  arguments: networks, genomes, tasks
stages.py summary.py                   a compiled network in print
scores.py hints.py progress.py         results
output.py terminal.py failure.py       files, the terminal, and how a command ends
"""
