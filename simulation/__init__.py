"""A simulated company whose true rates and times are known, to demonstrate, test and measure with.

It sells workplace equipment to businesses, small orders in a web shop and large ones through a
sales team, in three regions. Visitors come by channel, sign up, buy and buy again; some ask for a
demonstration and become leads, then opportunities, customers, and customers who come back.

    python -m simulation --landing landing                  half a year, about 180,000 events
    python -m simulation --landing landing --more-days 1    the day after
    python -m simulation --landing DIR --days 60 --seed 3 --visitors-per-day 1000
    python -m simulation --landing DIR --format hubspot-snowplow

`parameters` holds what is true, `company` turns it into extracts, `formats` spells them as
different systems do, `python -m simulation` is the command. What is true is written beside the
extracts, as `_simulation/parameters.json`, together with the rates that follow from it, so that
what the warehouse estimates can be held against it.

Everything follows from the seed. A cohort is the visitors, leads and partner deals of one day;
each of its members has random numbers of its own, and is followed to the end of its history as
soon as it appears. Its rows are put into the delivery of the day on which they reach the
warehouse. So the files of a day depend on nothing that comes later, and more days can be added
with no state but the seed.

The dirt of real data is a parameter too (`parameters.Dirt`); `parameters.CLEAN` turns it off. So is
what the tables are to find besides rates (`parameters.Planted`): an incident, experiments, a
reversal by the mix, and who invited whom.

Nothing here may import the warehouse: the company must not know how it is measured.
"""
