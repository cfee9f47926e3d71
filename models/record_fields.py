"""Where models keep what the rules ask for."""


def state_field(model):
    """Name of the field that holds a model's state, or None.

    OpenERP's five states where they are computed, else the model's own.
    """
    for name in ("business_state", "state"):
        field = model._fields.get(name)
        if field and field.type == "selection":
            return name
    return None


def source(model, names, comodel):
    """The first of these fields that a model has and that leads to the comodel.

    Not what is only another name of the responsible: the contact of a meeting is
    its organiser, its customers are among the invited.
    """
    for name in names:
        field = model._fields.get(name)
        if field and field.relational and field.comodel_name == comodel:
            if not (field.related or "").startswith("user_id."):
                return name
    return None


def plain_value(record, name):
    """The value of a field as plain data that outlives the record: ids, texts, dates."""
    return record._fields[name].convert_to_read(record[name], record, use_display_name=False)
