"""Opens a package with Anki's own library and says as JSON what Anki finds in it.

Usage: anki_reads.py HOW PACKAGE FOLDER, where HOW is "open" (the database of a legacy package becomes a
collection), "import" (the package is imported into an empty collection, with scheduling) or "restore" (the
package takes the place of a collection).
"""

import json
import os
import sys
import zipfile

from anki._backend import RustBackend
from anki.collection import Collection, ImportAnkiPackageOptions, ImportAnkiPackageRequest

from describing import describe


def main(how, package, folder):
    path = os.path.join(folder, "collection.anki2")
    media = os.path.join(folder, "collection.media")
    if how == "open":
        with zipfile.ZipFile(package) as archive, open(path, "wb") as file:
            file.write(archive.read("collection.anki21"))
        col = Collection(path)
    elif how == "import":
        col = Collection(path)
        options = ImportAnkiPackageOptions(with_scheduling=True)
        request = ImportAnkiPackageRequest(package_path=package, options=options)
        log = col.import_anki_package(request).log
        groups = (log.conflicting, log.missing_notetype, log.missing_deck, log.empty_first_field)
        assert not any(len(group) for group in groups), log
    else:
        os.makedirs(media)
        RustBackend().import_collection_package(
            col_path=path,
            backup_path=package,
            media_folder=media,
            media_db=os.path.join(folder, "collection.media.db2"),
        )
        col = Collection(path)
    described = describe(col)
    problems, is_ok = col.fix_integrity()
    assert is_ok, problems
    json.dump(described, sys.stdout)


if __name__ == "__main__":
    main(*sys.argv[1:])
