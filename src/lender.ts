/**
 * A stream that lends its chunks: their memory is used again for what comes next, once a reader that has borrowed them
 * says that it has done with them. A chunk that is not borrowed stays as it is.
 */
export interface Lender {
  /**
   * To be called in the call that hands over `chunk`. `settle` is called when all that came together with it is handed
   * over, once however many chunks it was borrowed for, and perhaps later. It says whether the reader has done with all
   * that it has borrowed.
   */
  borrow(chunk: Uint8Array, settle: () => boolean): void;
}

/** A stream that has done with what was written to it once its `writableLength` is 0: it does not pass on the same memory. */
export interface Borrower {
  readonly isBorrower: true;
}
