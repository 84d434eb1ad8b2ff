/** A failure that the user can fix: the message says what is wrong, `fix` says what to do. Printed without a stack trace. */
export class Problem extends Error {
  override readonly name = "Problem";
  readonly fix: string;

  constructor(what: string, fix: string) {
    super(what);
    this.fix = fix;
  }
}
