"""XML that comes in: no document type, no entities, bounded in size and depth."""

from lxml import etree

from .errors import BadRequest, TooLarge

#: Octets of a body of XML. A multiget of ten thousand objects has about a million.
MAX_BYTES = 4_000_000
MAX_DEPTH = 40
MAX_ELEMENTS = 100_000
#: Prefixes that are declared in one place: whatever is taken out of it declares them again.
MAX_NAMESPACES = 100
#: Properties of one request; each is told of for each resource.
MAX_NAMES = 500


def read_xml(body, max_bytes=MAX_BYTES, max_elements=MAX_ELEMENTS):
    """The root element of a body; None for an empty one.

    :param bytes body: as it came
    :param int max_bytes, max_elements: more than that is not read
    :raises BadRequest: for whatever is no XML that we read
    """
    if not body.strip():
        return None
    if len(body) > max_bytes:
        raise TooLarge(f"more than {max_bytes} octets of XML")
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False,
        remove_comments=True, remove_pis=True,
    )  # fmt: skip
    if b"<!DOCTYPE" in body or b"<!ENTITY" in body:
        # Before it is parsed: nobody has to find out what a definition expands to.
        raise BadRequest("a document type has no place in a request")
    try:
        root = etree.fromstring(body, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise BadRequest(f"this is no XML: {str(error)[:200]}") from error
    if root.getroottree().docinfo.doctype:
        # In an encoding in which it was not seen above.
        raise BadRequest("a document type has no place in a request")
    _check_size(root, max_elements)
    return root


def _check_size(root, max_elements):
    depth, count, declared = 0, 0, 0
    for event, _found in etree.iterwalk(root, events=("start", "end", "start-ns", "end-ns")):
        if event == "start-ns":
            declared += 1
            if declared > MAX_NAMESPACES:
                raise BadRequest("more namespaces than are read")
        elif event == "end-ns":
            declared -= 1
        elif event == "start":
            count += 1
            depth += 1
            if depth > MAX_DEPTH or count > max_elements:
                raise BadRequest("more elements, or deeper, than are read")
        else:
            depth -= 1


def expect(root, *names):
    """The root, if it is one of these elements.

    :raises BadRequest: if it is not, or there is none
    """
    if root is None or root.tag not in names:
        raise BadRequest(f"the body is no {' or '.join(names)}")
    return root


def names_in(blocks):
    """Names of the elements in others, each once.

    :raises BadRequest: when there are more than anybody has properties
    """
    names = list(dict.fromkeys(one.tag for block in blocks for one in block))
    if len(names) > MAX_NAMES:
        raise BadRequest("more properties than are looked at")
    return names


def text_of(element):
    """Text of an element without the blanks around it."""
    return (element.text or "").strip()
