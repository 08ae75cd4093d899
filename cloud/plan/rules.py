"""What the rule set of a plan says, as departures compare it. Reads the rule sets' files."""

from edge.calc.factors import kind_words, rule_set, statement_rule_sets
from edge.calc.methods.missing import treatments
from evidence.plan.departures import Rules
from evidence.plan.plan import Plan


def rules_of(plan: Plan) -> Rules:
    """Its kinds and treatments; none of a rule set that is not here."""
    if plan.rule_set not in statement_rule_sets():
        return Rules()
    return Rules(kind_words(rule_set(plan.rule_set)), treatments(plan.rule_set))
