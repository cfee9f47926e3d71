"""The index of a rule's executions has their dates in it as well: the one without is not needed."""


def migrate(cr, version):
    cr.execute("DROP INDEX IF EXISTS crm_automation_firing__rule_id_index")
