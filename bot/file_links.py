"""Links to files of a case, for platforms that take no files from us: signed, and good for a week."""

from itsdangerous import BadData, URLSafeTimedSerializer

PATH = "/files/"
GOOD_FOR = 7 * 24 * 3600  # seconds
LARGEST = 2**31 - 1  # what a row's number can be


class FileLinks:
    """Makes and reads links. Whoever has one can open the file, as with the file itself."""

    def __init__(self, secret: str) -> None:
        self._signer = URLSafeTimedSerializer(secret, salt="lotse-files")

    def path(self, number: int) -> str:
        """Where the file with this number (its row) is, below Lotse's own address."""
        return PATH + str(self._signer.dumps(number))

    def number(self, token: str) -> int | None:
        """The number of the file a token stands for; None when it is not ours, or too old."""
        try:
            number = self._signer.loads(token, max_age=GOOD_FOR)
        except BadData:
            return None
        return number if type(number) is int and 0 < number <= LARGEST else None
