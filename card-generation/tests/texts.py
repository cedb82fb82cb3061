"""Texts that the tests make cards from."""

BIOLOGY = """\
# Photosynthesis

Photosynthesis is the process by which green plants, algae and some bacteria turn light into chemical
energy. It takes place in the chloroplasts, which contain a green pigment called chlorophyll. In the
light-dependent reactions, water is split and oxygen is released. The energy is stored in adenosine
triphosphate (ATP) and NADPH. The Calvin cycle, also called the dark reactions, then uses this energy
to build sugar from carbon dioxide. Dr. Melvin Calvin described the cycle in 1950 and received the
Nobel Prize in Chemistry in 1961. A leaf uses only about 3.5 percent of the light that falls on it.

Enzymes are proteins that speed up chemical reactions without being used up. The molecule on which an
enzyme acts is called the substrate.

Key terms
- Osmosis: the movement of water through a membrane from a dilute to a concentrated solution.
- Mitosis – the division of a cell nucleus into two identical nuclei.
"""

HISTORY = """\
The Congress of Vienna was a meeting of European statesmen that took place from September 1814 to \
June 1815. Its aim was to restore order in Europe after the Napoleonic Wars. Napoleon Bonaparte was a \
French general who crowned himself emperor in 1804. He escaped from the island of Elba in February \
1815. The result was a long peace between the great powers. The Black Death killed about a third of \
Europe's population between 1347 and 1351. The European Economic Community (EEC) was founded in 1957 \
by the Treaties of Rome.
"""
