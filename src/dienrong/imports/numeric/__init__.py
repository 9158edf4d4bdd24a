"""Files of officers as rows of clean values: what a file is, where its table begins, what its cells mean.

No ORM and no sentences here: what is refused travels as a code with its parameters, and the room words it.
"""

from __future__ import annotations
