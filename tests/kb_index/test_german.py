"""German as it is written: without umlauts, in compounds, inflected, mixed with English, with mistakes.

Each question must find its article first among forty. What does not hold yet stands in NOT_YET and counts in the share
that must: it shares no word with its article, and the embedding model, which learned English, does not bridge that.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from kb_index.confidence import seed_calibration
from kb_index.embedder import load_embedder
from kb_index.search import KnowledgeBase
from kb_index.trial import open_trial

pytestmark = pytest.mark.real

SPOKEN = "spoken"  # as people ask, mostly in other words than the article's
ARTICLES = {
    "passwort": (
        "Passwort zurücksetzen",
        "Wenn Sie Ihr Passwort vergessen haben, öffnen Sie das Anmeldeportal und wählen „Passwort vergessen“. Sie "
        "erhalten einen Link per SMS. Das neue Passwort muss zwölf Zeichen lang sein.",
    ),
    "gesperrt": (
        "Benutzerkonto ist gesperrt",
        "Nach fünf falschen Anmeldungen wird das Konto für 30 Minuten gesperrt. Danach können Sie sich wieder "
        "anmelden. Dringende Fälle entsperrt die Hotline.",
    ),
    "zwei-faktor": (
        "Zwei-Faktor-Anmeldung einrichten",
        "Installieren Sie die Authenticator-App auf dem Smartphone und scannen Sie den QR-Code. Bei jeder "
        "Anmeldung geben Sie zusätzlich den sechsstelligen Code ein.",
    ),
    "vpn": (
        "VPN-Verbindung von zu Hause aufbauen",
        "Starten Sie den VPN-Client, wählen Sie das Firmennetz und melden Sie sich mit Ihrem Benutzernamen an. "
        "Ohne Verbindung sind die internen Laufwerke nicht erreichbar.",
    ),
    "wlan-gaeste": (
        "WLAN für Gäste",
        "Besucher erhalten am Empfang einen Zugangscode. Er gilt einen Tag lang im Netz „Gast“.",
    ),
    "wlan": (
        "WLAN im Büro",
        "Das Firmen-WLAN heißt „Intern“. Ihr Notebook verbindet sich mit dem Zertifikat von selbst. Fehlt das "
        "Zertifikat, starten Sie den Rechner im Büro am Netzwerkkabel neu.",
    ),
    "drucker-einrichten": (
        "Netzwerkdrucker hinzufügen",
        "Öffnen Sie die Einstellungen, dann „Drucker und Scanner“ und suchen Sie den Drucker mit der Raumnummer. "
        "Der Treiber wird automatisch installiert.",
    ),
    "papierstau": (
        "Papierstau beheben",
        "Schalten Sie das Gerät aus, öffnen Sie die hintere Klappe und ziehen Sie das Papier vorsichtig heraus. "
        "Schließen Sie die Klappe, bevor Sie wieder einschalten.",
    ),
    "toner": (
        "Toner wechseln",
        "Neue Kartuschen liegen im Materialraum. Schütteln Sie die Kartusche, entfernen Sie den Schutzstreifen und "
        "setzen Sie sie ein. Leere Kartuschen kommen in die grüne Kiste.",
    ),
    "abwesenheit": (
        "Abwesenheitsnotiz einschalten",
        "In Outlook unter Datei, Automatische Antworten. Tragen Sie Beginn und Ende Ihres Urlaubs ein und "
        "schreiben Sie einen Text für interne und externe Absender.",
    ),
    "signatur": (
        "E-Mail-Signatur anlegen",
        "Die Vorlage mit Logo und Anschrift finden Sie im Intranet. Fügen Sie sie in Outlook unter Optionen, "
        "E-Mail, Signaturen ein.",
    ),
    "postfach-voll": (
        "Postfach ist voll",
        "Ein Postfach fasst 50 Gigabyte. Löschen Sie alte Nachrichten mit großen Anhängen oder verschieben Sie sie "
        "in das Archiv. Leeren Sie danach den Papierkorb.",
    ),
    "verteiler": (
        "Verteilerliste ändern",
        "Mitglieder einer Verteilerliste pflegt deren Besitzer. Öffnen Sie das Adressbuch, wählen Sie die Liste "
        "und „Mitglieder ändern“.",
    ),
    "phishing": (
        "Verdächtige E-Mail melden",
        "Klicken Sie nicht auf Links und öffnen Sie keine Anhänge. Melden Sie die Nachricht mit der Schaltfläche "
        "„Phishing melden“; die Sicherheitsabteilung prüft sie.",
    ),
    "kalender": (
        "Kalender freigeben",
        "Rechtsklick auf den Kalender, Freigabe, Person hinzufügen. Wählen Sie, ob sie nur Zeiten oder alle "
        "Einzelheiten sieht.",
    ),
    "raum": (
        "Besprechungsraum buchen",
        "Laden Sie den Raum wie einen Teilnehmer zum Termin ein. Nimmt er an, ist er gebucht. Sagen Sie ab, wenn "
        "Sie ihn nicht brauchen.",
    ),
    "beamer": (
        "Bild auf den Beamer bringen",
        "Stecken Sie das HDMI-Kabel ein und drücken Sie Windows und P. Wählen Sie „Duplizieren“, um dasselbe Bild "
        "zu zeigen.",
    ),
    "headset": (
        "Kein Ton im Headset",
        "Prüfen Sie, ob das Headset als Ausgabegerät gewählt ist. Ziehen Sie den USB-Stecker und stecken Sie ihn "
        "wieder ein. Die Stummschaltung am Kabel muss aus sein.",
    ),
    "kamera": (
        "Kamera geht in der Videokonferenz nicht",
        "Öffnen Sie die Abdeckung der Kamera und erlauben Sie dem Programm in den Datenschutzeinstellungen den "
        "Zugriff.",
    ),
    "bildschirm": (
        "Zweiten Bildschirm anschließen",
        "Verbinden Sie den Monitor mit der Dockingstation. Unter Anzeige legen Sie fest, ob der Desktop erweitert "
        "wird und welcher Bildschirm der Hauptbildschirm ist.",
    ),
    "tastatur": (
        "Tastatur schreibt englische Zeichen",
        "Y und Z sind vertauscht? Dann ist das englische Layout aktiv. Mit Windows und Leertaste schalten Sie auf "
        "Deutsch zurück.",
    ),
    "maus": (
        "Funkmaus reagiert nicht",
        "Wechseln Sie die Batterie und stecken Sie den Empfänger in einen anderen Anschluss. Auf spiegelnden "
        "Tischen hilft eine Unterlage.",
    ),
    "akku": (
        "Akku des Notebooks hält nicht lange",
        "Verringern Sie die Helligkeit und schalten Sie den Energiesparmodus ein. Nach drei Jahren wird der Akku "
        "getauscht.",
    ),
    "langsam": (
        "Rechner ist langsam",
        "Starten Sie den Rechner neu und schließen Sie Programme, die Sie nicht brauchen. Im Task-Manager sehen "
        "Sie, was Arbeitsspeicher und Prozessor belastet.",
    ),
    "updates": (
        "Windows-Updates installieren",
        "Aktualisierungen kommen jeden zweiten Mittwoch. Sie können den Neustart bis zu drei Tage verschieben.",
    ),
    "software": (
        "Software bestellen",
        "Programme aus dem Softwarekatalog installieren Sie selbst. Was dort fehlt, braucht eine Lizenz und die "
        "Genehmigung Ihrer Führungskraft.",
    ),
    "adminrechte": (
        "Administratorrechte beantragen",
        "Erhöhte Rechte gibt es für höchstens acht Stunden. Begründen Sie im Formular, wofür Sie sie benötigen.",
    ),
    "laufwerk": (
        "Netzlaufwerk verbinden",
        "Im Explorer „Netzlaufwerk verbinden“ wählen, Buchstaben festlegen und den Pfad des Servers eingeben. "
        "Haken bei „Bei Anmeldung wiederherstellen“ setzen.",
    ),
    "wiederherstellen": (
        "Gelöschte Dateien wiederherstellen",
        "Rechtsklick auf den Ordner, „Vorgängerversionen“. Sicherungen werden 90 Tage aufbewahrt; ältere holt die "
        "IT aus dem Archiv zurück.",
    ),
    "freigabe": (
        "Ordner mit Kollegen teilen",
        "Den Zugriff auf Ordner vergibt der Eigentümer der Abteilung. Beantragen Sie Lese- oder Schreibrechte im "
        "Portal.",
    ),
    "usb": (
        "USB-Stick verschlüsseln",
        "Private Speichersticks sind verboten. Firmensticks werden mit BitLocker verschlüsselt; das Kennwort "
        "merken Sie sich oder hinterlegen es im Tresor.",
    ),
    "handy": (
        "Diensthandy einrichten",
        "Legen Sie die SIM-Karte ein und melden Sie sich mit der Firmenadresse an. E-Mail und Kalender werden von "
        "der Geräteverwaltung eingerichtet.",
    ),
    "handy-verloren": (
        "Telefon verloren oder gestohlen",
        "Melden Sie den Verlust sofort der Hotline. Das Gerät wird aus der Ferne gelöscht und die Karte gesperrt.",
    ),
    "rufumleitung": (
        "Anrufe umleiten",
        "Am Tischtelefon drücken Sie „Umleitung“ und geben die Zielnummer ein. Nochmals drücken hebt sie auf.",
    ),
    "mailbox": (
        "Anrufbeantworter abhören",
        "Wählen Sie die 500 und geben Sie Ihre PIN ein. Nachrichten kommen außerdem als Tondatei per E-Mail.",
    ),
    "reise": (
        "Reisekosten abrechnen",
        "Belege fotografieren und im Reiseportal hochladen. Die Erstattung kommt mit dem nächsten Gehalt.",
    ),
    "urlaub": (
        "Urlaub beantragen",
        "Urlaubstage tragen Sie im Personalportal ein. Ihre Führungskraft erhält eine Nachricht und genehmigt den "
        "Antrag.",
    ),
    "krank": (
        "Krankmeldung einreichen",
        "Rufen Sie am ersten Tag Ihre Führungskraft an. Ab dem vierten Tag ist eine Bescheinigung des Arztes "
        "nötig, die elektronisch abgerufen wird.",
    ),
    "ausweis": (
        "Firmenausweis ersetzen",
        "Ist der Ausweis defekt oder weg, bekommen Sie am Empfang einen neuen. Der alte öffnet dann keine Türen mehr.",
    ),
    "parken": (
        "Parkplatz reservieren",
        "Stellplätze in der Tiefgarage buchen Sie am Vortag in der App. Kennzeichen nicht vergessen.",
    ),
}

HOLD = (
    # umlauts and ß written out, or left out
    ("umlaut", "passwort zuruecksetzen", "passwort"),
    ("umlaut", "Wie kann ich geloeschte Dateien zurueckholen?", "wiederherstellen"),
    ("umlaut", "verdaechtige mail melden", "phishing"),
    ("umlaut", "WLAN fuer Gaeste", "wlan-gaeste"),
    ("umlaut", "WLAN im Buero geht nicht", "wlan"),
    ("umlaut", "usb stick verschluesseln", "usb"),
    ("umlaut", "Verteilerliste aendern", "verteiler"),
    ("umlaut", "zweiten Bildschirm anschliessen", "bildschirm"),
    ("umlaut", "zweiten Bildschirm anschließen", "bildschirm"),
    ("umlaut", "Anrufbeantworter abhoeren", "mailbox"),
    ("umlaut", "anrufbeantworter abhoren", "mailbox"),
    ("umlaut", "Netzwerkdrucker hinzufuegen", "drucker-einrichten"),
    ("umlaut", "passwort zurucksetzen", "passwort"),
    ("umlaut", "usb stick verschlusseln", "usb"),
    ("umlaut", "Geloschte Dateien", "wiederherstellen"),
    # compounds, split and joined
    ("compound", "Passwortzurücksetzung", "passwort"),
    ("compound", "Netz Laufwerk verbinden", "laufwerk"),
    ("compound", "Netzwerk Drucker hinzufügen", "drucker-einrichten"),
    ("compound", "Drucker im Netzwerk einrichten", "drucker-einrichten"),
    ("compound", "Stau von Papier im Drucker", "papierstau"),
    ("compound", "Tonerwechsel", "toner"),
    ("compound", "Kalenderfreigabe", "kalender"),
    ("compound", "Parkplatzreservierung", "parken"),
    ("compound", "Raumbuchung für eine Besprechung", "raum"),
    ("compound", "Besprechungsraumbuchung", "raum"),
    ("compound", "Reisekostenabrechnung", "reise"),
    ("compound", "Urlaubsantrag stellen", "urlaub"),
    ("compound", "Notebookakku hält nicht", "akku"),
    ("compound", "Softwarebestellung", "software"),
    ("compound", "Gäste-WLAN", "wlan-gaeste"),
    ("compound", "Gästewlan Zugang", "wlan-gaeste"),
    ("compound", "Anruf Beantworter", "mailbox"),
    ("compound", "Rufumleitung am Tischtelefon", "rufumleitung"),
    ("compound", "Kontosperrung", "gesperrt"),
    ("compound", "VPN Verbindungsaufbau", "vpn"),
    ("compound", "Outlooksignatur", "signatur"),
    ("compound", "Beamerbild", "beamer"),
    ("compound", "Akkulaufzeit vom Notebook", "akku"),
    ("compound", "Windowsupdateinstallation", "updates"),
    ("compound", "Firmenausweisersatz", "ausweis"),
    ("compound", "Zweifaktoranmeldung", "zwei-faktor"),
    # inflection and separable verbs
    ("inflection", "Wie setze ich mein Passwort zurück?", "passwort"),
    ("inflection", "Ich habe meine Passwörter vergessen", "passwort"),
    ("inflection", "Wie schließe ich zwei Bildschirme an?", "bildschirm"),
    ("inflection", "Wie stelle ich eine gelöschte Datei wieder her?", "wiederherstellen"),
    ("inflection", "Wie richte ich mein neues Diensthandy ein?", "handy"),
    ("inflection", "Wie leite ich Anrufe auf mein Handy um?", "rufumleitung"),
    ("inflection", "Wie reiche ich eine Krankmeldung ein?", "krank"),
    ("inflection", "Mein Konto wurde gesperrt", "gesperrt"),
    ("inflection", "Wer entsperrt mein Benutzerkonto?", "gesperrt"),
    ("inflection", "Wie gebe ich meinen Kalender frei?", "kalender"),
    ("inflection", "Wie füge ich einen Drucker hinzu?", "drucker-einrichten"),
    ("inflection", "Wie höre ich den Anrufbeantworter ab?", "mailbox"),
    ("inflection", "Wo finde ich die Vorlagen für Signaturen?", "signatur"),
    ("inflection", "Die Tasten Y und Z sind bei mir vertauscht", "tastatur"),
    ("inflection", "Wie wechsle ich den Toner aus?", "toner"),
    ("inflection", "Wie schalte ich die Tastatur wieder auf deutsche Zeichen?", "tastatur"),
    ("inflection", "Wie melde ich mich mit zwei Faktoren an?", "zwei-faktor"),
    # English words in German sentences
    ("english", "Mein Account ist gelockt", "gesperrt"),
    ("english", "Wie kann ich mein Password resetten?", "passwort"),
    ("english", "Wie mache ich ein Backup-Restore von gelöschten Files?", "wiederherstellen"),
    ("english", "Mein Mailpostfach ist full", "postfach-voll"),
    ("english", "Wie sharen wir Ordner mit Kollegen?", "freigabe"),
    ("english", "Meeting-Raum buchen", "raum"),
    ("english", "Ich brauche Admin-Rechte auf meinem Laptop", "adminrechte"),
    ("english", "Kann ich das Windows-Update verschieben?", "updates"),
    ("english", "Headset kein Sound", "headset"),
    ("english", "Second Monitor an der Dockingstation", "bildschirm"),
    ("english", "Out-of-Office-Reply in Outlook einschalten", "abwesenheit"),
    ("english", "Phishing-Mail bekommen, was tun?", "phishing"),
    ("english", "Authenticator App auf neuem Phone", "zwei-faktor"),
    # typing mistakes
    ("typo", "Pasword vergesen", "passwort"),
    ("typo", "Passwrot zurücksetzen", "passwort"),
    ("typo", "Drukcer hinzufügen", "drucker-einrichten"),
    ("typo", "Papirstau beheben", "papierstau"),
    ("typo", "Abwesenheitsnotitz einschalten", "abwesenheit"),
    ("typo", "Netzlaufwek verbinden", "laufwerk"),
    ("typo", "Parkplaz reserviren", "parken"),
    ("typo", "Bildschrim anschließen", "bildschirm"),
    ("typo", "Reisekostn abrechnen", "reise"),
    ("typo", "Krankmeldug einreichen", "krank"),
    ("typo", "Postfach is vol", "postfach-voll"),
    ("typo", "Uhrlaub beantragn", "urlaub"),
    ("typo", "Tastertur schreibt Englische zeichen", "tastatur"),
    ("typo", "Kammera geht nicht in der Videokonverenz", "kamera"),
    # as people ask
    (SPOKEN, "Mein Rechner ist total lahm, was tun?", "langsam"),
    (SPOKEN, "Ich bin im Urlaub, wer mir schreibt soll eine automatische Antwort bekommen", "abwesenheit"),
    (SPOKEN, "Mich sieht keiner in der Videokonferenz", "kamera"),
    (SPOKEN, "Wie komme ich von zu Hause ins Firmennetz?", "vpn"),
    (SPOKEN, "Es druckt nicht, das Papier hängt fest", "papierstau"),
    (SPOKEN, "Ich bin krank, was muss ich machen?", "krank"),
)
NOT_YET = (
    ("inflection", "Wie rechne ich eine Dienstreise ab?", "reise"),
    (SPOKEN, "Ich habe mein Handy im Zug liegen lassen", "handy-verloren"),
    (SPOKEN, "Meine Maus bewegt sich nicht mehr", "maus"),
    (SPOKEN, "Wo kann ich morgen mein Auto abstellen?", "parken"),
    (SPOKEN, "Ich höre nichts über meine Kopfhörer", "headset"),
)
LEAST_OF_FORMS = 0.95  # umlauts, compounds, inflection, English words, typing mistakes
LEAST_OF_ALL = 0.90


@pytest.fixture(scope="module")
def knowledge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KnowledgeBase]:
    """The forty articles, with the calibration that comes with Lotse."""
    folder: Path = tmp_path_factory.mktemp("articles")
    for name, (title, body) in ARTICLES.items():
        (folder / f"{name}.md").write_text(f"---\ntitle: {title}\nlang: de\n---\n{body}\n", "utf-8")
    with open_trial([folder], load_embedder(), tmp_path_factory.mktemp("trial")) as trial:
        with trial.sessions.begin() as session:
            seed_calibration(session)
        yield trial.knowledge()


def first_title(knowledge: KnowledgeBase, question: str) -> str:
    hits = knowledge.search(question, "de").hits
    return hits[0].title if hits else ""


def title_of(name: str) -> str:
    return ARTICLES[name][0]


@pytest.mark.parametrize(("kind", "question", "name"), HOLD, ids=[f"{kind}: {question}" for kind, question, _ in HOLD])
def test_right_article_is_first(knowledge: KnowledgeBase, kind: str, question: str, name: str) -> None:
    assert first_title(knowledge, question) == title_of(name)


def test_share_that_holds(knowledge: KnowledgeBase) -> None:
    """Those that do not hold yet among them: 85 of 86 forms, 91 of all 96 when this was written."""
    found = [(kind, first_title(knowledge, question) == title_of(name)) for kind, question, name in (*HOLD, *NOT_YET)]
    forms = [holds for kind, holds in found if kind != SPOKEN]
    assert sum(forms) / len(forms) >= LEAST_OF_FORMS
    assert sum(holds for _, holds in found) / len(found) >= LEAST_OF_ALL
