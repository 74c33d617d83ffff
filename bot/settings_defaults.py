"""The tables that config.yml is filled with, as far as it is left out: queues, categories and sensitive topics."""

from collections.abc import Container, Mapping

QUEUES: Mapping[str, str] = {
    "service-desk": "desk-service",
    "workplace": "desk-workplace",
    "network": "desk-network",
    "security": "desk-security",
}
CATEGORIES: Mapping[str, str] = {
    "accounts": "service-desk",
    "mail": "service-desk",
    "meetings": "service-desk",
    "files": "service-desk",
    "office": "workplace",
    "printing": "workplace",
    "devices": "workplace",
    "network": "network",
    "security": "security",
    "other": "service-desk",
}
# What somebody who thinks in German may write for them.
IN_GERMAN: Mapping[str, str] = {
    "konten": "accounts",
    "besprechungen": "meetings",
    "dateien": "files",
    "drucken": "printing",
    "geräte": "devices",
    "netzwerk": "network",
    "sicherheit": "security",
    "sonstiges": "other",
}
# The words that bring a person at once: what config.yml writes one below the other stands here with commas.
WORDS: Mapping[str, str] = {
    "security": """
        gehackt, hacker*, hacked, hacking, kompromittiert*, compromised, phishing*, ransomware*,
        erpressungstrojaner*, lösegeld*, ransom, trojaner*, trojan, malware*, schadsoftware*, schadprogramm*,
        spyware, virus, viren, viruses, verschlüsselungstrojaner*, sicherheitsvorfall*, security incident*,
        security breach*, datenleck*, datenpanne*, data breach*, data leak*, leaked, datendiebstahl*,
        identitätsdiebstahl*, identity theft, gestohlen*, geklaut*, stolen, diebstahl*, theft, unbefugt*,
        unauthorised access, unauthorized access, verdächtige mail*, verdächtige e-mail*, suspicious email*,
        suspicious e-mail*, suspicious mail*, ceo fraud, enkeltrick*, social engineering
    """,
    "personnel": """
        personalabteilung*, personalakte*, personalgespräch*, human resources, hr department, personnel file*,
        kündigung*, gekündigt*, abmahnung*, abgemahnt*, aufhebungsvertrag*, arbeitsvertrag*, arbeitszeugnis*,
        zeugnis, employment contract*, dismissal, notice of termination, got fired, getting fired, laid off,
        layoff*, leistungsbeurteilung*, performance review*
    """,
    "salary": """
        gehalt, gehälter*, gehalts*, lohn, löhne, lohnabrechnung*, lohnsteuer*, entgeltabrechnung*, salary,
        salaries, payroll, payslip*, pay slip*, paycheck*, wage, wages, prämie, bonuszahlung*, bonus payment*
    """,
    "finance": """
        bankverbindung*, bankdaten*, kontonummer*, iban, bank account*, bank details, kreditkarte*,
        credit card*, überweisung*, wire transfer*, steuernummer*, steuer-id, unterschlagung*, embezzle*,
        betrug, betrüger*, fraud, korruption*, bestechung*, bribe*
    """,
    "legal": """
        anwalt*, anwält*, rechtsanwalt*, rechtsabteilung*, rechtsstreit*, lawyer*, attorney*, lawsuit*,
        legal department, subpoena*, verklag*, strafanzeige*, staatsanwalt*, polizei*, police,
        hausdurchsuchung*, datenschutzverletzung*, datenschutzbeauftragt*, data protection officer,
        hinweisgeber*, whistleblow*
    """,
    "harassment": """
        belästig*, mobbing, gemobbt, mobbt*, schikan*, harass*, bullied, bullying, stalking, stalker*,
        diskriminier*, discriminat*, rassis*, racis*, sexis*, bedroht, drohung*, threatened
    """,
    "health": """
        krankmeldung*, krankgemeldet*, krank melden, krankschreibung*, krankgeschrieben*, sick leave,
        sick note*, arbeitsunfall*, work accident*, schwanger*, pregnan*, mutterschutz*, maternity*, burnout*,
        burn-out, depression*, schwerbehinder*, suizid*, selbstmord*, suicid*, umbringen, kill myself, notarzt*,
        ambulance
    """,
    "representation": """
        betriebsrat*, betriebsrät*, personalrat*, works council*, gewerkschaft*, trade union*, labor union*,
        gleichstellungsbeauftragt*, schwerbehindertenvertretung*, vertrauensperson*, ombuds*
    """,
}
TOPICS: Mapping[str, tuple[str, ...]] = {
    name: tuple(" ".join(word.split()) for word in words.split(",")) for name, words in WORDS.items()
}
TOPIC_QUEUES: Mapping[str, str] = {"security": "security"}


def default_categories(queues: Container[str], default_queue: str) -> dict[str, str]:
    """Which queue takes which category; what is for a queue that is not there goes to the default queue."""
    return {name: queue if queue in queues else default_queue for name, queue in CATEGORIES.items()}


def default_topics(queues: Container[str]) -> dict[str, dict[str, object]]:
    """The sensitive topics; what is for a queue that is not there goes to the default queue."""
    wanted = {name: TOPIC_QUEUES.get(name) for name in TOPICS}
    return {
        name: {"words": TOPICS[name], "queue": queue if queue in queues else None} for name, queue in wanted.items()
    }
