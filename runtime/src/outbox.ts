// Frames on their way out. A call from JavaScript into C costs about as much as a short run's script, so frames of
// texts are only noted, and C takes all of an entry's when it is over:
//
//     texts[0]    the sections of all frames, one after the other
//     marks       how many numbers are in use, then for each frame: kind, run, sections (at most 3), three lengths;
//                 C sets the first to 0 when it has taken them
//
// Bytes, and what is large, go to C at once; it takes what was noted before.

import type { Host, Section } from "./host.ts";

export interface Box {
    marks: Float64Array;
    texts: string[];
}

const MARKS_OF_FRAME = 6;
/** Characters of a frame; a larger one is handed over. */
const NOTED_MAX = 100_000;

export function noting(given: Host, { marks, texts }: Box): Host["send"] {
    const room = marks.length - MARKS_OF_FRAME;
    return (kind, run, first, second, third) => {
        const at = marks[0] || 1;
        if (at > room || !isText(first) || !isText(second) || !isText(third)) return given.send(kind, run, first, second, third);
        const text = (first ?? "") + (second ?? "") + (third ?? "");
        if (text.length > NOTED_MAX) return given.send(kind, run, first, second, third);
        texts[0] = at === 1 ? text : texts[0] + text;
        marks[at] = kind;
        marks[at + 1] = run;
        marks[at + 2] = third !== undefined ? 3 : second !== undefined ? 2 : first !== undefined ? 1 : 0;
        marks[at + 3] = first === undefined ? 0 : first.length;
        marks[at + 4] = second === undefined ? 0 : second.length;
        marks[at + 5] = third === undefined ? 0 : third.length;
        marks[0] = at + MARKS_OF_FRAME; // last: an entry that is ended by force has noted a frame or has not
    };
}

const isText = (section: Section): section is string | undefined => typeof section === "string" || section === undefined;
