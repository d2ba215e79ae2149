/** A whole house as a system that starts it has to know it. Everything else is rendered from this. */
export interface HouseDescription {
  readonly home: string
  readonly house: string
  /** The folder of the sockets of this home. */
  readonly runtime: string
  /** Where the source is; only read. */
  readonly source: string
  /** What starts the house and keeps the doors, as root. */
  readonly keeper: Keeper
  readonly processes: readonly UnitProcess[]
  /** System users; the processes and the database have one each. */
  readonly users: readonly string[]
  readonly folders: readonly UnitFolder[]
}

export interface Keeper {
  readonly command: readonly string[]
  /** On a system that has no users for the processes: the house as one program. */
  readonly whole: readonly string[]
  /** A database elsewhere is reached through it. */
  readonly network: boolean
  readonly credentials: readonly Credential[]
}

export interface UnitProcess {
  readonly name: string
  readonly command: readonly string[]
  readonly user: string
  /** Of others whose sockets it may enter. */
  readonly groups: readonly string[]
  readonly network: 'none' | 'loopback' | 'world'
  /** Does it start commands in bubblewrap? That takes namespaces. */
  readonly sandbox: boolean
  /** Folders it may write besides its own, as its user may; those outside of the house may be missing. */
  readonly writes: readonly string[]
  /** What it only reads or starts outside of the house: home folders are hidden from who needs nothing in them. */
  readonly reads: readonly string[]
  readonly credentials: readonly Credential[]
  /** Processes that stop after it. */
  readonly outlivedBy: readonly string[]
}

/** A secret that the system hands to one unit and to nobody else. */
export interface Credential {
  readonly name: string
  readonly path: string
  /** By `systemd-creds encrypt`. */
  readonly encrypted: boolean
}

export interface UnitFolder {
  readonly path: string
  readonly mode: number
  readonly user: string
  readonly group: string
}

/** A file of the system that belongs to Castellan alone. */
export interface UnitFile {
  readonly path: string
  readonly mode: number
  readonly text: string
}

/** Files, and what only the operator does with them. */
export interface Installation {
  readonly files: readonly UnitFile[]
  /** Commands that bring them into effect. */
  readonly next: readonly string[]
}

/** How a system forgets a house, whatever became of the house meanwhile. */
export interface Removal {
  /** Where files of an installation are. */
  readonly folders: readonly string[]
  /** Commands that have to come before the files may go. */
  readonly before: readonly string[]
  /** Commands after they have gone. */
  readonly after: readonly string[]
}
