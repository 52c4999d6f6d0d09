"""PodSpec and PodTemplateSpec: defaults and rules shared by every kind that holds one.

`defaults` fills in, `spec` and `template` find what is wrong, `update` says what may change in
a pod that exists. Nothing here reads other objects or changes what it is given to check.
"""
