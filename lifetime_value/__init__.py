"""How long customers stay and what they will spend: published models, fitted by likelihood.

Pure functions of numbers, which the models under `models/intermediate/customers` call. Where the
numbers come from and what becomes of the answers is the business of those.
"""
