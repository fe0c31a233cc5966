import QtQuick.Dialogs

// The system's own question for a folder; loaded only when it is asked.
FolderDialog {}
