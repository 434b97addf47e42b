"""Lets one thread stop all others between two pieces of their work."""

import threading


class Gate:
    def __init__(self):
        self.changed = threading.Condition()
        self.active, self.is_open, self.is_ended = 0, False, False

    def enter(self):
        """Waits until the gate is open; returns False if the work shall end."""
        with self.changed:
            self.changed.wait_for(lambda: self.is_open or self.is_ended)
            if self.is_ended:
                return False
            self.active += 1
            return True

    def leave(self):
        with self.changed:
            self.active -= 1
            self.changed.notify_all()

    def close(self):
        """Closes the gate, and waits until nobody is inside."""
        with self.changed:
            self.is_open = False
            self.changed.wait_for(lambda: self.active == 0)

    def open(self):
        with self.changed:
            self.is_open = True
            self.changed.notify_all()

    def end(self):
        with self.changed:
            self.is_ended = True
            self.changed.notify_all()
