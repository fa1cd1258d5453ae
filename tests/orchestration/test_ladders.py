"""Ready-made ladders are added to the declarations as they are known, and spoil nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestration import __main__ as command
from orchestration import declarations, ladders
from orchestration.ladders import Ladder, LadderError

# As practice has them, by the name under which they are added.
CHAINS = {
    "e_commerce": "首页→浏览/分类→商品详情→加入购物车→生成订单→开始支付→完成支付→回购",
    "food_ordering": "公众号首页→订餐服务→在线点餐→添加行程→商品页→添加购物车→进入购物车→去下单"
    "→确定支付→完成支付",
    "web_shop": "访问网站→注册账号→加入购物车→下单付款",
    "page_to_order": "打开页面→点击→添加购物车→支付→完成订单",
    "aida": "关注→兴趣→欲望→行动",
    "aarrr": "获取→激活→留存→收入→传播",
    "growth": "流量→转化→复购→裂变",
    "relationship": "意识→兴趣→决策→购买→忠诚",
    "customer_stages": "意识→兴趣→考虑→意向→购买→忠诚",
    "business_to_business": "认知→兴趣→评估→决策→成交",
    "customer_kinds": "潜在客户→崇拜者→潜在买家→客户→忠实客户",
    "simple_sales": "潜在→意向→洽谈→成交",
    "sales_report": "潜在客户→初步接触→需求确认→方案提出→报价洽谈→成交",
    "classes": "潜在→意向→常规→AB类→成交",
    "probabilities": "候选目标→潜在→接近→重点→成交",
    "shortlist": "有需求→候选→优选→基本确定→成交",
    "key_account": "客户开发→需求分析→演示与方案→谈判签约→售后跟进",
    "premium_goods": "获取→培养→需求确认→方案提供→成交洽谈→成交",
    "consultative": "客户接触→需求分析→提案演示→谈判→签约交付→后续关怀",
    "buyers_process": "需求产生→需求沟通→方案沟通→选型确认→采购比价→签约付款→交付实施",
    "service_sale": "咨询申请→初步咨询→报价→竞品比较→面谈→优劣分析→签合同→支付",
    "field_sales": "市场开发→客户开发→拜访→分类跟进→成交促进→辗转介绍",
}
FILES = ("funnels.csv", "funnel_stages.csv", "stage_rules.csv")
OWN = {
    "funnels.csv": "subject_type,funnel_id,order_mode\nuser,web,ordered\n",
    "funnel_stages.csv": "funnel_id,stage_id,stage_position,stage_kind\n"
    'web,visit,1,open\nweb,"paid",2,won\n',
    "stage_rules.csv": "funnel_id,stage_id,rule_type,match_value\n"
    'web,visit,event,"visit, or so"\nweb,paid,purchase,completed\n',
}


@pytest.fixture
def seeds(tmp_path: Path) -> Path:
    """The declarations of a company that has one funnel."""
    for name, text in OWN.items():
        (tmp_path / name).write_text(text)
    return tmp_path


def _contents(seeds: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in seeds.iterdir()}


def test_the_library_has_the_ladders_of_practice() -> None:
    """Prevents a stage that is lost, misplaced or called something else."""
    assert {one.ladder: one.in_chinese for one in ladders.library()} == CHAINS
    by_name = {one.ladder: one for one in ladders.library()}
    assert by_name["aarrr"].in_words == "Acquisition, Activation, Retention, Revenue, Referral"
    shortlist = by_name["shortlist"].stages
    assert [stage["win_probability"] for stage in shortlist] == [
        "",
        "0.25",
        "0.5",
        "0.75",
        "1",
        "0",
    ]


@pytest.mark.parametrize("ladder", ladders.library(), ids=lambda one: str(one.ladder))
def test_a_ladder_is_sound_once_its_rules_are_filled_in(ladder: Ladder, tmp_path: Path) -> None:
    """Prevents a ready-made funnel that the next night refuses."""
    added = ladders.add(ladder.ladder, tmp_path)
    path = tmp_path / "stage_rules.csv"
    lines = path.read_text().splitlines()
    assert added.lines_to_fill_in
    for line, stage_id in added.lines_to_fill_in:
        cells = lines[line - 1].split(",")
        assert cells[:2] == [ladder.ladder, stage_id]
        cells[4] = stage_id
        lines[line - 1] = ",".join(cells)
    path.write_text("\n".join(lines))
    tables = declarations.read(tmp_path).tables
    assert [row["funnel_id"] for row in tables["funnels"]] == [ladder.ladder]
    named = [(row["stage_name"], row["stage_name_zh"]) for row in tables["funnel_stages"]]
    assert named == [(stage["stage_name"], stage["stage_name_zh"]) for stage in ladder.stages]


def test_nights_are_refused_until_the_rules_are_filled_in(seeds: Path) -> None:
    """Prevents a funnel without anybody in it that nobody notices."""
    added = ladders.add("aida", seeds)
    with pytest.raises(declarations.DeclarationError) as refused:
        declarations.read(seeds)
    assert [mistake.line for mistake in refused.value.mistakes] == [
        line for line, _ in added.lines_to_fill_in
    ]


def test_what_a_company_wrote_stays_as_it_is(seeds: Path) -> None:
    """Prevents rows that are lost, requoted or moved under another column."""
    before = _contents(seeds)
    ladders.add("simple_sales", seeds)
    after = _contents(seeds)
    assert after["stage_rules.csv"].startswith(before["stage_rules.csv"])
    assert set(after) == set(FILES)
    text = (seeds / "stage_rules.csv").read_text()
    assert text.endswith(
        "simple_sales,won,opportunity_stage,\nsimple_sales,lost,opportunity_stage,\n"
    )
    # Columns that the file did not have stand behind its own, empty for its own rows.
    stages = (seeds / "funnel_stages.csv").read_text().splitlines()
    assert stages[0].startswith("funnel_id,stage_id,stage_position,stage_kind,stage_name,")
    assert stages[2].startswith("web,paid,2,won,,")
    assert "simple_sales,prospect,1,open,Prospect,潜在" in stages[3]


def test_files_of_spreadsheets_stay_what_they_are(seeds: Path) -> None:
    """Prevents a file with two kinds of line ends, or rows joined where the last had none."""
    path = seeds / "stage_rules.csv"
    path.write_bytes(
        b"\xef\xbb\xbf" + OWN["stage_rules.csv"].strip().replace("\n", "\r\n").encode()
    )
    ladders.add("simple_sales", seeds)
    content = path.read_bytes()
    assert content.startswith(b"\xef\xbb\xbffunnel_id,stage_id")
    assert content.count(b"\n") == content.count(b"\r\n") == 3 + 5
    assert b"web,paid,purchase,completed\r\nsimple_sales,prospect," in content


@pytest.mark.parametrize(
    ("ladder", "funnel_id", "found"),
    [
        ("aid", "", "LADDER: expected one of e_commerce, "),
        ("aida", "web", "expected no funnel 'web', found it. Nothing was added."),
        ("aida", "My Funnel", "FUNNEL: expected small letters, digits and underscores"),
    ],
)
def test_what_cannot_be_added_changes_nothing(
    seeds: Path, ladder: str, funnel_id: str, found: str
) -> None:
    """Prevents a funnel whose rows are mixed with another's."""
    before = _contents(seeds)
    with pytest.raises(LadderError, match=found):
        ladders.add(ladder, seeds, funnel_id)
    assert _contents(seeds) == before


def test_a_ladder_is_added_once_and_under_another_name_again(seeds: Path) -> None:
    """Prevents every stage from standing twice."""
    ladders.add("aida", seeds)
    before = _contents(seeds)
    with pytest.raises(LadderError, match="expected no funnel 'aida'"):
        ladders.add("aida", seeds)
    assert _contents(seeds) == before
    assert ladders.add("aida", seeds, "aida_north").funnel_id == "aida_north"


def test_rules_that_were_left_behind_are_not_taken_over(seeds: Path) -> None:
    """Prevents old rules of a removed funnel from serving the new one."""
    with (seeds / "stage_rules.csv").open("a") as file:
        file.write("aida,awareness,event,old\n")
    with pytest.raises(LadderError, match=r"stage_rules\.csv: expected no funnel 'aida'"):
        ladders.add("aida", seeds)


def test_a_file_that_is_no_table_is_refused(seeds: Path) -> None:
    """Prevents rows behind something that is not read by commas."""
    (seeds / "funnels.csv").write_text("funnel_id;subject_type\nweb;user\n")
    with pytest.raises(LadderError, match="expected a column funnel_id, found 'funnel_id;"):
        ladders.add("aida", seeds)


def test_all_files_are_changed_or_none(seeds: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Prevents a funnel without stages where the disk is full."""
    before, replace = _contents(seeds), ladders._replace

    def full(path: Path, content: bytes) -> None:
        if path.name == "stage_rules.csv":
            raise OSError(28, "No space left on device", str(path))
        replace(path, content)

    monkeypatch.setattr(ladders, "_replace", full)
    with pytest.raises(LadderError, match="No space left on device"):
        ladders.add("aida", seeds)
    assert _contents(seeds) == before


def test_the_commands_list_and_add(
    seeds: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Prevents a command that leaves open what there is left to do."""
    monkeypatch.setenv("FUNNEL_SEEDS", str(seeds))
    assert command.main(["ladders"]) == 0
    assert "关注→兴趣→欲望→行动" in capsys.readouterr().out
    assert command.main(["add-funnel", "--ladder", "growth"]) == 0
    told = capsys.readouterr().out
    assert "line 4: traffic" in told and "viral_referral" in told
    assert "conversion" not in told
    assert command.main(["add-funnel", "--ladder", "growth"]) == 1
    assert "expected no funnel 'growth'" in capsys.readouterr().err
