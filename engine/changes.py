"""What one transaction has changed so far, for the rules to decide on.

Owns the memory of first old values; knows nothing of the ORM, of rules or of
SQL. Odoo runs its *precommit* hooks at every savepoint, not only at the commit,
so the decision about a record may be taken several times in one transaction:
each time on the **net** change, from the values that the transaction found to
those of now.

Rolling back to a savepoint leaves this memory as it is, and that is right: the
first old value of a record is the value from before the transaction, whatever
was undone since.
"""

import dataclasses

#: A chain of rules that set each other off ends here.
MAX_CHAIN = 8


@dataclasses.dataclass(frozen=True)
class Change:
    """The net change of one record.

    :param int res_id: id of the record
    :param bool created: the record was created in this transaction; it has no
        old values then
    :param dict old: field name to value before the transaction, for the
        watched fields that were written
    :param dict facts: what a business event says of itself, e.g. what was
        merged; empty for a change of the record
    :param tuple chain: ids of the rules whose actions led to the change, the
        latest last; empty where a person made it
    """

    res_id: int
    created: bool
    old: dict
    facts: dict = dataclasses.field(default_factory=dict)
    chain: tuple = ()


def join_facts(before, after):
    """What two events of one record say of themselves, in one: lists are joined.

    >>> join_facts({"answers": ["Ana"], "rule_id": 3}, {"answers": ["Luis"]})
    {'answers': ['Ana', 'Luis'], 'rule_id': 3}
    """
    joined = {**before, **after}
    for name in before.keys() & after.keys():
        if isinstance(after[name], list):
            joined[name] = before[name] + after[name]
    return joined


class TransactionChanges:
    """First old values, created records, and what waits for a decision.

    >>> changes = TransactionChanges()
    >>> changes.remember("crm.lead", 7, {"type": "lead"})
    >>> changes.remember("crm.lead", 7, {"type": "opportunity"})
    >>> changes.take("crm.lead")
    [Change(res_id=7, created=False, old={'type': 'lead'}, facts={}, chain=())]

    Taken once, a record comes back only when it is touched again, still with
    the first old value:

    >>> changes.take("crm.lead")
    []
    >>> changes.remember("crm.lead", 7, {"type": "opportunity"})
    >>> changes.take("crm.lead")[0].old
    {'type': 'lead'}

    A record created in the transaction has no old values:

    >>> changes.add_created("crm.lead", [8])
    >>> changes.remember("crm.lead", 8, {"type": "lead"})
    >>> changes.take("crm.lead")
    [Change(res_id=8, created=True, old={}, facts={}, chain=())]

    What a person does counts as his, also where a rule has touched the same:

    >>> changes.touch("crm.lead", [7], chain=(3, 4))
    >>> changes.touch("crm.lead", [7])
    >>> changes.take("crm.lead")[0].chain
    ()
    """

    def __init__(self):
        self._old = {}
        self._created = {}
        self._waiting = {}
        #: Names the transaction in the key of its firings; set by whoever asks.
        self.occasion = None
        #: (rule, model, record) that have got a firing in this transaction.
        self.decided = set()
        #: Those of them whose rule has already changed the record: final.
        self.applied = set()

    def add_created(self, model, ids, chain=()):
        """Note records that this transaction created."""
        self._created.setdefault(model, set()).update(ids)
        self.touch(model, ids, chain)

    def missing(self, model, ids, names):
        """The ids of which an old value of one of the fields is still unknown.

        :param model: technical name of the model
        :param ids: ids of the records about to be written
        :param names: names of the watched fields about to be written
        :return: list of ids, in the order given
        """
        known = self._old.get(model, {})
        created = self._created.get(model, ())
        return [
            res_id
            for res_id in ids
            if res_id not in created and not known.get(res_id, {}).keys() >= names
        ]

    def remember(self, model, res_id, values, chain=()):
        """Keep the values as first old values, and let the record wait.

        :param dict values: field name to value; a value that is known already
            stays as it is
        :param tuple chain: as in Change
        """
        old = self._old.setdefault(model, {}).setdefault(res_id, {})
        for name, value in values.items():
            old.setdefault(name, value)
        self.touch(model, [res_id], chain)

    def touch(self, model, ids, chain=()):
        """Let records wait whose old values are known."""
        waiting = self._waiting.setdefault(model, {})
        for res_id in ids:
            waiting[res_id] = min(waiting.get(res_id, chain), chain, key=len)

    def waiting_models(self):
        return [model for model, ids in self._waiting.items() if ids]

    def take(self, model):
        """The changes that wait for a decision; they wait no longer.

        :rtype: list of Change, in the order of the first touch
        """
        waiting = self._waiting.pop(model, {})
        return [self._change(model, res_id, chain) for res_id, chain in waiting.items()]

    def everything(self, model):
        """All changes of the model in this transaction, waiting or not.

        :rtype: list of Change
        """
        ids = dict.fromkeys([*self._created.get(model, ()), *self._old.get(model, ())])
        return [self._change(model, res_id, ()) for res_id in ids]

    def decided_on(self, rule, model, changes):
        """The keys of a rule's decisions that are about these changes.

        >>> changes = TransactionChanges()
        >>> changes.decided = {(1, "crm.lead", 7), (2, "crm.lead", 7), (1, "crm.lead", 8)}
        >>> changes.decided_on(1, "crm.lead", [Change(7, False, {})])
        {(1, 'crm.lead', 7)}
        """
        if not self.decided:
            return set()
        return self.decided.intersection((rule, model, change.res_id) for change in changes)

    def _change(self, model, res_id, chain):
        created = res_id in self._created.get(model, ())
        # A copy: what a rule changes while the others are asked is a change of its own.
        old = {} if created else dict(self._old.get(model, {}).get(res_id, {}))
        return Change(res_id, created, old, chain=chain)
