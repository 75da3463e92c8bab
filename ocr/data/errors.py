"""The errors that unusable receipt data raises."""


class AnnotationError(ValueError):
    """Annotations or an image that can't be used; the message names file, image and key.

    It is built from one message string, so that it keeps its type when a `DataLoader` worker or a
    process pool hands it over.
    """
