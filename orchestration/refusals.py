"""The errors for which a delivered file is refused. What finds them is in the modules that read.

A refused file stops the new files of its source for the night; the other sources are loaded.
"""

from __future__ import annotations

import re
from typing import ClassVar


class DeliveryError(Exception):
    """A delivery that cannot be used: which file and column, what was expected, found, to be done.

    Attributes:
        file: path within the landing, beginning with the source's folder.
        column: the column at fault; empty where the file as a whole is.
    """

    remedy: ClassVar[str] = "Deliver the file again."

    def __init__(
        self, file: str, expected: str, found: str, *, column: str = "", remedy: str = ""
    ) -> None:
        self.file = file
        self.column = column
        self.expected = expected
        self.found = found
        place = f"{file}, column {column}" if column else file
        super().__init__(f"{place}: expected {expected}, found {found}. {remedy or self.remedy}")

    @property
    def source(self) -> str:
        """The source whose new files it stops."""
        return self.file.partition("/")[0]

    @property
    def reason(self) -> str:
        """The kind of error in snake words, such as `empty_file`."""
        name = type(self).__name__.removesuffix("Error")
        return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


class VanishedFileError(DeliveryError):
    """The file was listed, and was gone when it was to be read."""

    remedy = "Deliver it again, or run again if its removal was meant."


class UnreadablePathError(DeliveryError):
    """The operating system does not let the file or folder be read."""

    remedy = "Give the user of the nightly run the right to read it."


class ChangedFileError(DeliveryError):
    """The file was written to while it was read."""

    remedy = "Run again. Deliver under a name that begins with `.` and rename when complete."


class EmptyFileError(DeliveryError):
    """There is nothing in the file, which cannot be told from a delivery that failed."""

    remedy = "Deliver it again; where there is nothing to deliver, a header alone or no file."


class DamagedFileError(DeliveryError):
    """The bytes are not a whole file of the format that its name says."""

    remedy = "Deliver it again; the transfer may have been cut off."


class WrongEncodingError(DeliveryError):
    """The header is not UTF-8, so no column can be named."""

    remedy = "Export the file as UTF-8."


class WrongDelimiterError(DeliveryError):
    """The header is separated by something else than commas."""

    remedy = "Export the file with commas between the columns."


class MixedLineEndsError(DeliveryError):
    """The lines of a CSV file end in several ways, so that rows cannot be told apart."""

    remedy = "Export the file with one kind of line end, and values with line breaks in quotes."


class UnclosedQuoteError(DeliveryError):
    """A quoted value of a CSV file does not end, and rows behind it were swallowed by it."""

    remedy = "Close the quote, or double it where it belongs to the value."


class DuplicateColumnError(DeliveryError):
    """Two columns have the same name once spelled in the way of the warehouse."""

    remedy = "Rename or leave out one of them."


class MissingColumnError(DeliveryError):
    """A column that the extract must have is not there."""


class RetypedColumnError(DeliveryError):
    """A required column is there, and none of its values can be read as its type."""

    remedy = "Export the column in the expected form."
