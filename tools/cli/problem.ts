/** A failure that a person can fix: one message that says what is wrong and what to do. Shown without a stack trace. */
export class Problem extends Error {
  override readonly name = "Problem";
  readonly fix: string;

  constructor(what: string, fix: string) {
    super(what);
    this.fix = fix;
  }
}
