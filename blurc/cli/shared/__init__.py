"""What several commands need.

options.py subjects.py task_option.py  arguments: networks, genomes, tasks
stages.py summary.py                   printing a compiled network
scores.py hints.py progress.py         results
runs.py lives.py                       what `blurc train` makes of data, and of environments
fitting.py                             tables that fit the terminal
output.py terminal.py failure.py       files, the terminal, and failures
"""
