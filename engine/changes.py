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
    """

    res_id: int
    created: bool
    old: dict
    facts: dict = dataclasses.field(default_factory=dict)


class TransactionChanges:
    """First old values, created records, and what waits for a decision.

    >>> changes = TransactionChanges()
    >>> changes.remember("crm.lead", 7, {"type": "lead"})
    >>> changes.remember("crm.lead", 7, {"type": "opportunity"})
    >>> changes.take("crm.lead")
    [Change(res_id=7, created=False, old={'type': 'lead'}, facts={})]

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
    [Change(res_id=8, created=True, old={}, facts={})]
    """

    def __init__(self):
        self._old = {}
        self._created = {}
        self._waiting = {}
        #: Names the transaction in the key of its firings; set by whoever asks.
        self.occasion = None
        #: (rule, model, record) that have got a firing in this transaction.
        self.decided = set()

    def add_created(self, model, ids):
        """Note records that this transaction created."""
        self._created.setdefault(model, set()).update(ids)
        self._waiting.setdefault(model, {}).update(dict.fromkeys(ids))

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

    def remember(self, model, res_id, values):
        """Keep the values as first old values, and let the record wait.

        :param dict values: field name to value; a value that is known already
            stays as it is
        """
        old = self._old.setdefault(model, {}).setdefault(res_id, {})
        for name, value in values.items():
            old.setdefault(name, value)
        self._waiting.setdefault(model, {})[res_id] = None

    def touch(self, model, ids):
        """Let records wait whose old values are known."""
        self._waiting.setdefault(model, {}).update(dict.fromkeys(ids))

    def waiting_models(self):
        return [model for model, ids in self._waiting.items() if ids]

    def take(self, model):
        """The changes that wait for a decision; they wait no longer.

        :rtype: list of Change, in the order of the first touch
        """
        created = self._created.get(model, ())
        old = self._old.get(model, {})
        return [
            Change(res_id, res_id in created, {} if res_id in created else old.get(res_id, {}))
            for res_id in self._waiting.pop(model, ())
        ]
