export type { Credential, HouseDescription, Installation, UnitFile, UnitFolder, UnitProcess } from './description.ts'
export { compareFiles, installFiles, uninstallFiles, type FileState } from './install-files.ts'
export { launchdInstallation } from './launchd/installation.ts'
export { systemdInstallation } from './systemd/installation.ts'
