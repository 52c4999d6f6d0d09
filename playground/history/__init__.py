"""What happened in a cluster: its past as pages, sentences, differences, blame, and recordings.

`fields`, `blame` and `facts` are pure functions, which the cluster worker uses, too.
"""
