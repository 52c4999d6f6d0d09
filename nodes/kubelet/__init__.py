"""The kubelet: makes what stands in the API true on one machine, and says how it went.

It drives containers through CRI alone (`nodes.runtime.cri`), is woken by changes of its pods, by
events of its runtime and by timers, and has no task for a pod with which nothing happens.
"""
