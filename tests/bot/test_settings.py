"""Settings: what is written wrong is named with its line, its setting and the fix."""

from collections.abc import Mapping
from datetime import time, timedelta
from pathlib import Path

import pytest
from pydantic import ValidationError

from bot.settings import Settings, SettingsError, check_may_serve, load_settings, settings_hash
from bot.settings_contradictions import PLATFORMS
from bot.settings_defaults import IN_GERMAN, TOPICS
from bot.settings_faults import setting_names
from bot.texts import Texts
from bot.wording import sensitive_topic

ROOT = Path(__file__).parents[2]


def load(folder: Path, text: str, environ: Mapping[str, str] | None = None) -> Settings:
    path = folder / "config.yml"
    path.write_text(text, "utf-8")
    return load_settings(path, environ or {})


def faults_of(folder: Path, text: str, environ: Mapping[str, str] | None = None) -> list[str]:
    with pytest.raises(SettingsError) as caught:
        load(folder, text, environ)
    return str(caught.value).splitlines()


WRONG = {
    "unknown setting": (
        "answering:\n  max_wrnog: 0.1\n",
        "line 2: answering.max_wrnog is not a setting; did you mean max_wrong?",
    ),
    "unknown section": ("answring:\n  max_wrong: 0.1\n", "line 1: answring is not a setting; did you mean answering?"),
    "setting outside its section": (
        "max_wrong: 0.1\n",
        "line 1: max_wrong is not a setting; did you mean answering.max_wrong?",
    ),
    "unknown and far from all": (
        "log:\n  zzz: 1\n",
        "line 2: log.zzz is not a setting; known here: level, format",
    ),
    "setting of a table": (
        "handoff:\n  queues:\n    service-desk: {channel: a, chanel: b}\n",
        "line 3: handoff.queues.service-desk.chanel is not a setting; did you mean channel?",
    ),
    "not a number": (
        "answering:\n  max_wrong: 0,05\n",
        "line 2: answering.max_wrong is '0,05', but must be a number, with a point as in 0.05",
    ),
    "not a whole number": ("web:\n  port: 80.5\n", "line 2: web.port is '80.5', but must be a whole number"),
    "too small": (
        "answering:\n  merge_window: -1\n",
        "line 2: answering.merge_window is '-1', but must be at least 0",
    ),
    "too large": ("web:\n  port: 99999\n", "line 2: web.port is '99999', but must be at most 65535"),
    "share of 1": ("answering:\n  max_wrong: 1\n", "line 2: answering.max_wrong is '1', but must be less than 1"),
    "not true or false": (
        "answering:\n  ask_facts: perhaps\n",
        "line 2: answering.ask_facts is 'perhaps', but must be true or false",
    ),
    "not one of": (
        "language:\n  address: Seie\n",
        "line 2: language.address is 'Seie', but must be 'du' or 'sie'; did you mean sie?",
    ),
    "number for text": (
        "handoff:\n  note_prefixes: [1]\n",
        "line 2: handoff.note_prefixes.0 is '1', but must be text; put quotes around it",
    ),
    "text for list": (
        "handoff:\n  note_prefixes: //\n",
        "line 2: handoff.note_prefixes is '//', but must be a list: [one, two]",
    ),
    "text for section": (
        "web: 8080\n",
        "line 1: web must be a section: its settings stand below it, indented, each as 'name: value'",
    ),
    "missing in a table": (
        "sensitive:\n  pay: {queue: service-desk}\n",
        "line 2: sensitive.pay.words is missing; add it, indented below sensitive.pay",
    ),
    "empty list": ("sensitive:\n  pay: {words: []}\n", "line 2: sensitive.pay.words must not be empty"),
    "no time zone": (
        "service:\n  timezone: Europe/Brlin\n",
        "line 2: service.timezone is 'Europe/Brlin', but is no time zone; write one such as Europe/Berlin",
    ),
    "one time": (
        "service:\n  hours:\n    mon: [08:00]\n",
        "line 3: service.hours.mon must be two times: [08:00, 17:00]",
    ),
    "hours as numbers": (
        "service:\n  hours:\n    mon: [8, 17]\n",
        "line 3: service.hours.mon must be two times: [08:00, 17:00]",
    ),
    "no day": (
        "service:\n  hours:\n    mo: [08:00, 17:00]\n",
        "line 2: service.hours 'mo' is not a day: use mon, tue, wed, thu, fri, sat, sun",
    ),
    "end before start": (
        "service:\n  hours:\n    mon: [17:00, 08:00]\n",
        "line 2: service.hours mon: the end must be after the start",
    ),
    "priorities left out": (
        "service:\n  first_response_minutes: {1: 15}\n",
        "line 2: service.first_response_minutes must name minutes, 1 or more, for each of the priorities "
        "1, 2, 3, 4 and 5",
    ),
    "no country": (
        "service:\n  country: XX\n",
        "line 2: service.country 'XX' is not known; write two letters such as DE, AT, CH or GB, or null",
    ),
    "no address": (
        "nlu:\n  url: rasa:5005\n",
        "line 2: nlu.url is 'rasa:5005', but must be an address that begins with http:// or https://",
    ),
    "tab": ("web:\n\tport: 80\n", "line 2: there is a tab; indent with spaces only"),
    "twice": (
        "web:\n  port: 1\n  host: localhost\n  port: 2\n",
        "line 4: web.port stands here again (first on line 2); keep one of the two",
    ),
    "section twice": (
        "web:\n  port: 1\nweb:\n  port: 2\n",
        "line 3: web stands here again (first on line 1); keep one of the two",
    ),
    "tag": (
        "web:\n  host: !!python/name:os.system ''\n",
        "line 2: web.host: tags such as !!python/name:os.system are not used here",
    ),
    "unknown queue": (
        "handoff:\n  default_queue: servicedesk\n",
        "line 2: handoff.default_queue names the queue 'servicedesk', which is not in handoff.queues; "
        "did you mean service-desk?",
    ),
    "unknown queue of a category": (
        "handoff:\n  categories:\n    mail: post\n",
        "line 3: handoff.categories.mail names the queue 'post', which is not in handoff.queues; "
        "there are: service-desk, workplace, network, security",
    ),
    "unknown queue of a topic": (
        "sensitive:\n  pay:\n    words: [salary]\n    queue: hr\n",
        "line 4: sensitive.pay.queue names the queue 'hr', which is not in handoff.queues; "
        "there are: service-desk, workplace, network, security",
    ),
    "unknown platform": (
        "handoff:\n  third_level: {channel: x, platform: wep}\n",
        "line 2: handoff.third_level.platform 'wep' is not known; did you mean web?",
    ),
    "no default queue": (
        "handoff:\n  queues:\n    it: {channel: it}\n",
        "line 1: handoff.default_queue names the queue 'service-desk', which is not in handoff.queues; there are: it",
    ),
    "queues that are none": (
        "handoff:\n  queues: it\n",
        "line 2: handoff.queues must be a section: its settings stand below it, indented, each as 'name: value'",
    ),
    "third level in a queue's channel": (
        "handoff:\n  third_level: {channel: desk-network}\n",
        "line 2: handoff.third_level.channel is the channel of a queue too; third level needs its own",
    ),
    "database without driver": (
        "database:\n  url: postgresql://lotse@db/lotse\n",
        "line 2: database.url must name its driver: postgresql+psycopg://db/lotse",
    ),
    "another database": (
        "database:\n  url: mysql://db/lotse\n",
        "line 2: database.url must be sqlite:///var/lotse.db or postgresql+psycopg://user@host:5432/lotse",
    ),
    "database in memory": (
        "database:\n  url: 'sqlite://'\n",
        "line 2: database.url would forget everything at the end; name a file: sqlite:///var/lotse.db",
    ),
    "server without database": (
        "database:\n  url: postgresql+psycopg://lotse@db\n",
        "line 2: database.url names no database; write postgresql+psycopg://user@host:5432/lotse",
    ),
}


@pytest.mark.parametrize(("written", "said"), WRONG.values(), ids=WRONG)
def test_what_is_wrong_is_named_with_line_setting_and_fix(tmp_path: Path, written: str, said: str) -> None:
    assert faults_of(tmp_path, written) == [f"config.yml {said}"]


def test_all_faults_are_told_together_in_the_order_of_lines(tmp_path: Path) -> None:
    found = faults_of(tmp_path, "web:\n  prot: 1\nlog:\n  level: LOUD\n  level: INFO\nnlu:\n  token_env: LOTSE_T\n")
    assert [line.split(":")[0] for line in found] == [f"config.yml line {line}" for line in (2, 4, 5, 7)]


@pytest.mark.parametrize("text", ["web: host: x\n", "web: [1\n", "web: 'x\n", "web:\n   host: x\n  port: 1\n"])
def test_broken_yaml_is_told_with_its_line_and_a_hint(tmp_path: Path, text: str) -> None:
    (said,) = faults_of(tmp_path, text)
    assert said.startswith("config.yml line ")
    assert "this is not YAML" in said
    assert "look at the indentation" in said


@pytest.mark.parametrize("text", ["- web\n", "web\n"])
def test_a_file_that_is_no_list_of_sections_is_refused(tmp_path: Path, text: str) -> None:
    (said,) = faults_of(tmp_path, text)
    assert "must be a list of 'section:' lines" in said


def test_a_file_that_is_not_there_is_told_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"missing\.yml: cannot be read .* name the file with --config"):
        load_settings(tmp_path / "missing.yml", {})


def test_a_file_in_another_encoding_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "config.yml"
    path.write_bytes("web:\n  host: 'Büro'\n".encode("latin-1"))
    with pytest.raises(SettingsError, match="save it as UTF-8"):
        load_settings(path, {})


SECRETS = [
    ("nlu:\n  token_env: xoxb-123-abc\n", "must be the name of an environment variable, never the secret itself"),
    ("nlu:\n  token_env: geheim!\n", "for example nlu.token_env: LOTSE_NLU_TOKEN"),
    ("nlu:\n  token: s3cr3t\n", "nlu.token is not a setting; did you mean token_env?"),
    ("web:\n  signing_key_token: s3cr3t\n", "secrets are given as environment variables"),
    ("nlu:\n  url: http://u:s3cr3t@rasa\n", "holds a secret; take it out of the file"),
    ("database:\n  url: postgresql+psycopg://u:s3cr3t@db/lotse\n", "password_env: LOTSE_DATABASE_PASSWORD"),
    ("web:\n  host: ghp_abcdefs3cr3t\n", "holds a secret; take it out of the file"),
]


@pytest.mark.parametrize(("written", "said"), SECRETS)
def test_a_secret_in_the_file_is_refused_and_not_repeated(tmp_path: Path, written: str, said: str) -> None:
    text = "\n".join(faults_of(tmp_path, written))
    assert said in text
    for secret in ("s3cr3t", "xoxb-123", "geheim!"):
        assert secret not in text


@pytest.mark.parametrize("environ", [{}, {"LOTSE_TOKEN": ""}])
def test_a_variable_that_is_not_set_is_named_with_its_export(tmp_path: Path, environ: dict[str, str]) -> None:
    (said,) = faults_of(tmp_path, "nlu:\n  token_env: LOTSE_TOKEN\n", environ)
    assert said == (
        "config.yml line 2: nlu.token_env names the variable LOTSE_TOKEN, which is not set or empty; "
        "before starting Lotse: export LOTSE_TOKEN='...'"
    )


def test_a_secret_comes_from_the_environment_and_shows_nowhere(tmp_path: Path) -> None:
    text = "database:\n  url: postgresql+psycopg://lotse@db:5432/lotse\n  password_env: LOTSE_PW\n"
    settings = load(tmp_path, text, {"LOTSE_PW": "a/b@c"})
    assert settings.secret(settings.database.password_env) == "a/b@c"
    assert settings.database_url() == "postgresql+psycopg://lotse:a%2Fb%40c@db:5432/lotse"
    assert "a/b" not in repr(settings) + settings.model_dump_json()
    assert settings.secret(None) is None


def test_an_empty_file_means_all_defaults(tmp_path: Path) -> None:
    assert load(tmp_path, "") == Settings()


def test_a_section_with_everything_commented_out_means_its_defaults(tmp_path: Path) -> None:
    assert load(tmp_path, "web:\n  # port: 1\nsensitive:\n") == Settings()


def test_times_and_countries_are_not_taken_for_numbers_and_booleans(tmp_path: Path) -> None:
    service = load(tmp_path, "service:\n  country: NO\n  hours: {mon: [8:30, 17:00]}\n").service
    assert service.country == "NO"
    assert service.hours == {"mon": (time(8, 30), time(17))}


def test_the_shipped_file_is_valid_without_any_variable() -> None:
    settings = load_settings(ROOT / "config.yml", {})
    assert settings.handoff.default_queue in settings.handoff.queues
    assert settings.service.first_response(1) == timedelta(minutes=15)


def value_of(settings: Settings, name: str) -> object:
    value: object = settings
    for part in name.split("."):
        value = getattr(value, part)
    return value


@pytest.mark.parametrize("name", sorted(setting_names(Settings)))
def test_the_shipped_file_says_the_default(name: str) -> None:
    assert value_of(load_settings(ROOT / "config.yml", {}), name) == value_of(Settings(), name)


# --- sensitive topics -------------------------------------------------------------------------------------------------
OWN_QUEUES = "handoff:\n  queues:\n    it: {channel: it}\n  default_queue: it\n"


@pytest.mark.parametrize("text", ["", OWN_QUEUES, "sensitive:\n", "log: {level: DEBUG}\n"])
def test_no_settings_file_loses_the_sensitive_topics_by_leaving_them_out(tmp_path: Path, text: str) -> None:
    settings = load(tmp_path, text)
    assert sensitive_topic("My boss harasses me", settings.sensitive) == "harassment"
    assert sensitive_topic("Ich habe auf eine Phishing-Mail geklickt", settings.sensitive) == "security"
    assert {name: topic.words for name, topic in settings.sensitive.items()} == TOPICS
    assert settings.notes == ()


def test_what_is_left_out_goes_to_the_default_queue_where_its_own_is_not_there(tmp_path: Path) -> None:
    settings = load(tmp_path, OWN_QUEUES)
    assert {topic.queue for topic in settings.sensitive.values()} == {None}
    assert set(settings.handoff.categories.values()) == {"it"}
    assert settings.handoff.categories.keys() == Settings().handoff.categories.keys()


def test_what_is_left_out_goes_to_its_own_queue_where_that_is_there(tmp_path: Path) -> None:
    settings = load(tmp_path, f"{OWN_QUEUES}    \n".replace("it: {", "security: {channel: soc}\n    it: {"))
    assert settings.sensitive["security"].queue == "security"
    assert settings.handoff.categories["security"] == "security"
    assert settings.handoff.categories["network"] == "it"


# --- what may not be meant --------------------------------------------------------------------------------------------
ORDINARY = "what people write about that is taken for an ordinary IT question"
NOTES = {
    "no topic": (
        "sensitive: {}\n",
        "1: sensitive is empty, it has nothing of security, personnel, salary, finance, legal, harassment, health, "
        f"representation: {ORDINARY}; leave sensitive out for all that come with Lotse, or write them beside yours",
    ),
    "one topic for all": (
        "sensitive:\n  pay: {words: [Gehalt, IBAN, harass, phishing]}\n",
        f"1: sensitive names no word of personnel, legal, health, representation: {ORDINARY}; leave",
    ),
    "a category in German": (
        "handoff:\n  categories: {netzwerk: network}\n",
        "2: handoff.categories.netzwerk is for articles with the category 'netzwerk' only; did you mean network?",
    ),
    "a category as the pages call it": (
        "handoff:\n  categories: {Geräte: workplace}\n",
        "2: handoff.categories.Geräte is for articles with the category 'Geräte' only; did you mean devices?",
    ),
    "a channel in Slack without its platform": (
        "slack: {mode: socket, bot_token_env: LOTSE_BOT, app_token_env: LOTSE_APP}\n"
        "handoff:\n  third_level: {channel: C0THIRD01}\n",
        "3: handoff.third_level.channel C0THIRD01 looks like a channel of Slack, but its platform is 'web': tickets "
        "stay on the pages; for Slack add platform: slack",
    ),
}
NOTHING_TO_NOTE = {
    "topics by other names": "sensitive:\n"
    + "".join(f"  no-{name}: {{words: ['{words[0]}']}}\n" for name, words in TOPICS.items()),
    "a category of one's own": "handoff:\n  categories: {network: network, sales: workplace, browser: workplace}\n",
    "a category beside ours": "handoff:\n  categories: {network: network, netzwerk: network}\n",
    "a channel like Slack's, without Slack": "handoff:\n  third_level: {channel: C0THIRD01}\n",
}


@pytest.mark.parametrize(("written", "said"), NOTES.values(), ids=NOTES)
def test_what_may_not_be_meant_is_said_and_refuses_nothing(tmp_path: Path, written: str, said: str) -> None:
    (note,) = load(tmp_path, written, SLACK).notes
    assert note.sentence("config.yml").startswith(f"config.yml line {said}")


def test_the_german_names_of_categories_are_those_of_the_pages() -> None:
    texts = Texts("de")
    assert {called: texts.label("category", name).lower() for called, name in IN_GERMAN.items()} == {
        called: called for called in IN_GERMAN
    }


@pytest.mark.parametrize("written", NOTHING_TO_NOTE.values(), ids=NOTHING_TO_NOTE)
def test_what_is_meant_is_not_talked_about(tmp_path: Path, written: str) -> None:
    assert load(tmp_path, written).notes == ()


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1", "[::1]", "127.1.2.3"])
def test_loopback_may_be_served(host: str) -> None:
    check_may_serve(Settings.model_validate({"web": {"host": host}}))


@pytest.mark.parametrize("sign_in", ["demo", "none"])
@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "helpdesk.example.org", ""])  # noqa: S104
def test_a_network_is_not_served_without_sign_in(host: str, sign_in: str) -> None:
    settings = Settings.model_validate({"web": {"host": host, "sign_in": sign_in}})
    with pytest.raises(SettingsError, match=r"there is no sign-in for a network yet .* Set web\.host to 127\.0\.0\.1"):
        check_may_serve(settings)


def test_the_hash_changes_with_what_decides_an_answer() -> None:
    changed = Settings.model_validate({"answering": {"max_wrong": 0.05}})
    assert settings_hash(changed) != settings_hash(Settings())


def test_the_hash_stays_when_only_the_address_changes() -> None:
    changed = Settings.model_validate({"web": {"port": 9000}, "log": {"level": "DEBUG"}})
    assert settings_hash(changed) == settings_hash(Settings())


def test_settings_cannot_be_changed_while_running() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        Settings().web.port = 1  # type: ignore[misc]


def test_every_platform_can_be_named(tmp_path: Path) -> None:
    slack = "slack: {mode: socket, bot_token_env: LOTSE_BOT, app_token_env: LOTSE_APP}\n"
    teams = f"teams: {{app_id: {GUID}, tenant_id: {GUID}, client_secret_env: LOTSE_SIGN}}\n"
    for platform in PLATFORMS:
        channel = "19:abc@thread.tacv2" if platform == "teams" else "desk"
        queues = f"{{service-desk: {{channel: '{channel}', platform: {platform}}}}}"
        text = f"handoff:\n  queues: {queues}\n{slack}{teams}"
        assert load(tmp_path, text, SLACK).handoff.queues["service-desk"].platform == platform


GUID = "0d8f3a2e-5b0c-4d1e-9f60-7a8b9c0d1e2f"
SLACK = {"LOTSE_BOT": "xoxb-1", "LOTSE_APP": "xapp-1", "LOTSE_SIGN": "s", "LOTSE_CLIENT": "c", "LOTSE_KEY": "k"}
OAUTH = "  client_id: '1.2'\n  client_secret_env: LOTSE_CLIENT\n  token_key_env: LOTSE_KEY\n"
UNFINISHED = {
    "socket without bot token": (
        "slack:\n  mode: socket\n  app_token_env: LOTSE_APP\n",
        ["line 2: slack.mode 'socket' needs slack.bot_token_env"],
    ),
    "socket without app token": (
        "slack:\n  mode: socket\n  bot_token_env: LOTSE_BOT\n",
        ["line 2: slack.mode 'socket' needs slack.app_token_env"],
    ),
    "http without anything": (
        "slack:\n  mode: http\n",
        [
            "line 2: slack.mode 'http' needs slack.signing_secret_env",
            "line 2: slack.mode 'http' needs slack.bot_token_env",
        ],
    ),
    "many workspaces without key": (
        "web:\n  public_url: https://h\nslack:\n  mode: http\n  signing_secret_env: LOTSE_SIGN\n  client_id: '1.2'\n"
        "  client_secret_env: LOTSE_CLIENT\n",
        ["line 4: slack.mode 'http' needs slack.token_key_env"],
    ),
    "many workspaces without client secret": (
        "web:\n  public_url: https://h\nslack:\n  mode: http\n  signing_secret_env: LOTSE_SIGN\n  client_id: '1.2'\n"
        "  token_key_env: LOTSE_KEY\n",
        ["line 4: slack.mode 'http' needs slack.client_secret_env"],
    ),
    "many workspaces over a socket without signing secret": (
        f"web:\n  public_url: https://h\nslack:\n  mode: socket\n  app_token_env: LOTSE_APP\n{OAUTH}",
        ["line 4: slack.mode 'socket' needs slack.signing_secret_env"],
    ),
}


@pytest.mark.parametrize(("written", "said"), UNFINISHED.values(), ids=UNFINISHED)
def test_what_slack_needs_beside_its_mode_is_named(tmp_path: Path, written: str, said: list[str]) -> None:
    cure = "; docs/slack.md says where to find it"
    assert faults_of(tmp_path, written, SLACK) == [f"config.yml {line}{cure}" for line in said]


def test_many_workspaces_need_the_address_people_come_back_to(tmp_path: Path) -> None:
    text = f"slack:\n  mode: http\n  signing_secret_env: LOTSE_SIGN\n{OAUTH}"
    (said,) = faults_of(tmp_path, text, SLACK)
    assert said == "config.yml line 4: slack.client_id needs web.public_url: Slack sends people back to it"


def test_a_client_id_is_text(tmp_path: Path) -> None:
    (said,) = faults_of(tmp_path, "slack:\n  client_id: 123.456\n", SLACK)
    assert said == "config.yml line 2: slack.client_id is '123.456', but must be text; put quotes around it"


@pytest.mark.parametrize(
    ("name", "variable"), [("bot_token_env", "BOT"), ("app_token_env", "APP"), ("signing_secret_env", "SIGN")]
)
def test_a_slack_secret_that_is_not_set_is_named_with_its_export(tmp_path: Path, name: str, variable: str) -> None:
    text = (
        "slack:\n  mode: http\n"
        "  bot_token_env: LOTSE_BOT\n  app_token_env: LOTSE_APP\n  signing_secret_env: LOTSE_SIGN\n"
    )
    (said,) = faults_of(tmp_path, text, {**SLACK, f"LOTSE_{variable}": ""})
    line = text.splitlines().index(f"  {name}: LOTSE_{variable}") + 1
    assert said.startswith(
        f"config.yml line {line}: slack.{name} names the variable LOTSE_{variable}, which is not set"
    )
    assert said.endswith(f"before starting Lotse: export LOTSE_{variable}='...'")


@pytest.mark.parametrize("token", ["xoxb-123-s3cr3t", "xapp-1-s3cr3t"])
def test_a_slack_token_in_the_file_is_refused_and_not_repeated(tmp_path: Path, token: str) -> None:
    text = "\n".join(faults_of(tmp_path, f"slack:\n  mode: socket\n  bot_token_env: {token}\n", SLACK))
    assert "must be the name of an environment variable, never the secret itself" in text
    assert "s3cr3t" not in text


def test_a_channel_in_slack_needs_slack(tmp_path: Path) -> None:
    (said,) = faults_of(tmp_path, "handoff:\n  third_level: {channel: C1, platform: slack}\n")
    assert said == (
        "config.yml line 2: handoff.third_level.platform is 'slack', but slack.mode is not set; see docs/slack.md"
    )


@pytest.mark.parametrize(
    "text",
    [
        "slack:\n  mode: socket\n  bot_token_env: LOTSE_BOT\n  app_token_env: LOTSE_APP\n",
        "slack:\n  mode: http\n  bot_token_env: LOTSE_BOT\n  signing_secret_env: LOTSE_SIGN\n",
        f"web:\n  public_url: https://h\nslack:\n  mode: http\n  signing_secret_env: LOTSE_SIGN\n{OAUTH}",
        "slack:\n  bot_token_env: LOTSE_BOT\n",
    ],
)
def test_what_is_complete_is_taken_and_its_secrets_show_nowhere(tmp_path: Path, text: str) -> None:
    settings = load(tmp_path, text, SLACK)
    assert "xoxb-1" not in repr(settings) + settings.model_dump_json()
    assert settings.secret(settings.slack.bot_token_env) in (None, "xoxb-1")
