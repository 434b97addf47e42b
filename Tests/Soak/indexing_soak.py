"""The soak test of indexing."""


class IndexingSoak:
    pass
