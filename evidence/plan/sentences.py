"""What a departure says, and what mends it, in both languages. A table; a test holds it whole."""

from collections.abc import Mapping

from evidence.plan.departures import Departure

#: code -> language -> (what is so, what mends it)
SENTENCES: Mapping[str, Mapping[str, tuple[str, str]]] = {
    "other-year": {
        "en": ("the plan is of {planned}, the month is {month}", "use the plan of its year"),
        "zh": ("计划年度为 {planned}，月份为 {month}", "使用该年度的计划"),
    },
    "other-plant": {
        "en": ("the plan is of plant {planned}, the site of {practice}", "use the plant's plan"),
        "zh": ("计划所属厂区为 {planned}，现场为 {practice}", "使用本厂区的计划"),
    },
    "other-rules": {
        "en": (
            "planned by rule set {planned}, counted by {practice}",
            "revise the plan, or correct rule_set of the site file",
        ),
        "zh": (
            "计划采用核算规则 {planned}，实际采用 {practice}",
            "修订计划，或更正现场配置中的核算规则（rule_set）",
        ),
    },
    "unplanned": {
        "en": (
            "is counted, and no parameter of the plan is of it",
            "add a parameter for it to the plan",
        ),
        "zh": ("参与核算，但计划中没有对应参数", "在计划中为其增加一项参数"),
    },
    "other-source": {
        "en": (
            "planned from {planned}, counted from {practice}",
            "revise the plan, or name the planned points in the site file's statement",
        ),
        "zh": (
            "计划数据来源为 {planned}，实际为 {practice}",
            "修订计划，或在现场配置的 statement 中改用计划的测点",
        ),
    },
    "coarse": {
        "en": (
            "{point} is read every {practice} s; planned is every {planned} s at most",
            "lower interval_s of the device, or revise the plan",
        ),
        "zh": (
            "{point} 每 {practice} s 采集一次；计划为至多 {planned} s",
            "减小设备的采集间隔（interval_s），或修订计划",
        ),
    },
    "default-used": {
        "en": (
            "planned from {planned}; the month used the default {value}",
            "bring in the measured figure, and amend the month",
        ),
        "zh": (
            "计划来源为 {planned}；该月使用了缺省值 {value}",
            "提交实测数据并更正该月",
        ),
    },
    "other-missing-rule": {
        "en": (
            "planned when it is missing: {planned}; the rule set's treatment is: {rule}",
            "correct its treatment when missing (missing) in the plan",
        ),
        "zh": ("计划的缺失处理为 {planned}；核算规则为 {rule}", "更正计划中的缺失处理（missing）"),
    },
    "no-device": {
        "en": (
            "its device {planned} is in no configuration",
            "correct device in the plan, or the site file",
        ),
        "zh": ("设备 {planned} 不在任何配置中", "更正计划中的 device，或现场配置"),
    },
    "other-model": {
        "en": (
            "planned model {planned}, read as {practice}",
            "revise the plan and record the replacement, or correct the profile",
        ),
        "zh": (
            "计划型号为 {planned}，实际按 {practice} 采集",
            "修订计划并登记更换，或更正设备模板",
        ),
    },
    "other-number": {
        "en": (
            "planned number {planned}; the site states {practice}",
            "revise the plan and record the replacement, or correct the number",
        ),
        "zh": ("计划编号为 {planned}；现场声明为 {practice}", "修订计划并登记更换，或更正编号"),
    },
    "no-certificate": {
        "en": (
            "has no certificate; planned is {planned}",
            "sign its certificate (meter-certificate)",
        ),
        "zh": ("没有证书；计划为 {planned}", "签署其计量器具证书（meter-certificate）"),
    },
    "lesser-check": {
        "en": (
            "planned is {planned}; {number} is {practice} only",
            "have it checked as planned",
        ),
        "zh": ("计划为 {planned}；{number} 仅为 {practice}", "按计划检定或校准"),
    },
    "expired": {
        "en": ("verification {number} was valid until {due}", "have it verified"),
        "zh": ("检定证书 {number} 有效期至 {due}", "重新检定"),
    },
    "suggested-date-passed": {
        "en": (
            "the next check was suggested for {due} by {number}; it is not legally expired",
            "have it checked, or confirm its fitness with a reason",
        ),
        "zh": (
            "{number} 建议下次校准日期为 {due}；并非法定失效",
            "重新校准，或说明理由并确认其适用性",
        ),
    },
    "certified-late": {
        "en": (
            "its first certificate is of {day}: days before it have none",
            "sign the one before",
        ),
        "zh": ("首份证书日期为 {day}，此前无证书", "签署此前的证书"),
    },
    "unfit": {
        "en": (
            "certificate {number} of {day}: fitness is not confirmed",
            "repair or replace it, and sign a new certificate",
        ),
        "zh": ("{day} 的证书 {number}：未确认适用", "修理或更换，并签署新证书"),
    },
    "check-missing": {
        "en": (
            "is planned {planned}, and no document of it is of the month",
            "make it, and sign its record (internal-check)",
        ),
        "zh": ("计划频次为{planned}，本月没有其记录", "完成检查并签署其记录（internal-check）"),
    },
    "check-failed": {
        "en": (
            "of {of} by {by} did not pass",
            "mend what it found, and sign another record (internal-check)",
        ),
        "zh": ("{by} 对 {of} 的检查未通过", "整改后再次签署记录（internal-check）"),
    },
    "checked-seldom": {
        "en": (
            "its next check is {practice} months after the last; planned is {planned} at most",
            "have it checked earlier, or revise the plan",
        ),
        "zh": ("两次检查相隔 {practice} 个月；计划为至多 {planned} 个月", "提前检查，或修订计划"),
    },
}

#: words of a plan that stand in a sentence -> as they are said
WORDS: Mapping[str, Mapping[str, str]] = {
    "verification": {"en": "verification", "zh": "检定"},
    "calibration": {"en": "calibration", "zh": "校准"},
    "own-check": {"en": "own check", "zh": "自校"},
    "meter": {"en": "a meter", "zh": "仪表实测"},
    "laboratory": {"en": "a laboratory", "zh": "化验实测"},
    "settlement": {"en": "settlement documents", "zh": "结算凭证"},
    "record": {"en": "records", "zh": "记录"},
    "calculated": {"en": "a calculation", "zh": "计算值"},
    "default": {"en": "the default", "zh": "缺省值"},
    "mean": {"en": "the mean of the values around", "zh": "前后值的平均"},
    "estimate": {"en": "a best estimate", "zh": "最佳估计"},
    "none": {"en": "no treatment", "zh": "不作处理"},
    "-": {"en": "no meter", "zh": "无仪表"},
    "continuous": {"en": "continuously", "zh": "连续"},
    "batch": {"en": "by batch", "zh": "每批次"},
    "hourly": {"en": "hourly", "zh": "每小时"},
    "daily": {"en": "daily", "zh": "每日"},
    "weekly": {"en": "weekly", "zh": "每周"},
    "monthly": {"en": "monthly", "zh": "每月"},
    "quarterly": {"en": "quarterly", "zh": "每季度"},
    "yearly": {"en": "yearly", "zh": "每年"},
}


def said(departure: Departure, language: str) -> tuple[str, str]:
    """(what is so, what mends it) in a language, "en" or "zh"."""
    so, mends = SENTENCES[departure.code][language]
    facts = {
        name: WORDS[text][language] if text in WORDS else text
        for name, text in departure.facts.items()
    }
    return so.format(**facts), mends
