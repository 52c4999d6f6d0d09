"""Aggregated APIs: groups that APIServices register, and others than this process answer.

`following` follows the APIServices and sees to their conditions, by the checks of `availability`;
`remotes` holds what the servers behind them serve; `proxying` hands requests on to them;
`discovering` reads what they say of themselves; `registration` keeps APIServices for the groups of
CustomResourceDefinitions. What is registered is all that costs: without any nothing runs here.
"""
