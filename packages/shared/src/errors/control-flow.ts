/** Put off or taken away is not failed: these end a run without ending the deployment badly, and are never shown as errors. */
export class ControlFlow extends Error {
  constructor(message: string) {
    super(message);
    this.name = new.target.name;
  }
}

/** Another worker owns the deployment now; this one must touch nothing further. */
export class LeaseLost extends ControlFlow {}

/** This process is stopping; the deployment goes back to the queue. */
export class HandBack extends ControlFlow {}

/** Somebody asked to cancel: what is under way is brought back, then the deployment ends as cancelled. */
export class CancelAsked extends ControlFlow {}

/** The deployment waits to be resumed; no worker is bound meanwhile. */
export class Held extends ControlFlow {}
