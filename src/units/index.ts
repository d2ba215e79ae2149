export type { Credential, HouseDescription, Installation, Removal, UnitFile, UnitFolder, UnitProcess } from './description.ts'
export { compareFiles, installedFiles, installFiles, uninstallFiles, type FileState } from './install-files.ts'
export { launchdInstallation, launchdRemoval } from './launchd/installation.ts'
export { systemdInstallation, systemdRemoval } from './systemd/installation.ts'
