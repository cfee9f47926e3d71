"""``./dev/soak``: an hour of everything at once, on two workers that are killed.

A real Odoo with two workers for requests and two for jobs, on a PostgreSQL cluster of its
own. Side by side

* rules: leads are made, converted and dated, dates are moved: one mail for each;
* reminders: meetings some minutes ahead, some of them cancelled or moved: one mail for
  each meeting and person, at the new moment where there is one, none where it is off;
* calendar programs: three of them write, delete and follow changes in a calendar of their
  own and in one that they share, each write on condition;
* an account: the agenda of a user is kept in step with Radicale, edited on both sides.

Meanwhile workers are killed with SIGKILL at random moments, in the first quarter of the
time also the whole server; then one worker of each kind is spared, to see its memory. The
mail server refuses and cuts connections now and then, until the acts are over. What an act
that got no answer has done is settled by doing it again with the same words, or by a look.

At the end all must be as the acts say. It prints what was counted, the memory of the
processes, the connections and the tables, a line "CHECK <what> PASS" or "FAIL" for each
promise, and exits 1 if one is broken.
"""

import argparse

from .chaos_smtp import ChaosSmtp
from .paths import soak_name
from .private_copy import SETTINGS, private_copy
from .radicale import radicale
from .soak_judge import report
from .soak_run import Soak
from .system import free_port
from .workshop import workshop


def main(arguments):
    parser = argparse.ArgumentParser(
        prog="./dev/soak", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("minutes", nargs="?", type=float, default=60, help="how long (60)")
    parser.add_argument("--seed", type=int, default=1, metavar="S", help="of what is random (1)")
    parser.add_argument(
        "--faults", type=float, default=1.0, metavar="F",
        help="how faulty the mail server is, as of ./dev/chaos (1)",
    )  # fmt: skip
    options = parser.parse_args(arguments)
    if options.minutes <= 0:
        parser.error("minutes: more than none")
    with (
        workshop() as shop,
        radicale() as remote,
        private_copy(shop, soak_name(), SETTINGS) as private,
    ):
        smtp = ChaosSmtp(free_port(), options.seed, options.faults)
        smtp.start()
        try:
            soak = Soak(private, soak_name(), smtp, remote, options)
            soak.run()
            return report(soak)
        finally:
            smtp.stop()
