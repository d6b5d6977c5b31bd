// The skeleton cascade25 as it is drawn; a test compares it with the wire's.

export const JOINTS = [
  "pelvis", "spine", "neck", "head_top", "nose", "left_eye", "right_eye", "left_ear", "right_ear", "left_shoulder",
  "right_shoulder", "left_elbow", "right_elbow", "left_wrist", "right_wrist", "left_hip", "right_hip", "left_knee",
  "right_knee", "left_ankle", "right_ankle", "left_heel", "right_heel", "left_toe", "right_toe"
];

export const BONES = [
  [0, 1], [1, 2], [2, 3], [2, 4], [4, 5], [5, 7], [2, 9], [9, 11], [11, 13], [0, 15], [15, 17], [17, 19], [19, 21],
  [19, 23], [4, 6], [6, 8], [2, 10], [10, 12], [12, 14], [0, 16], [16, 18], [18, 20], [20, 22], [20, 24]
];

export const COLOURS = { coarse: "#f6b73c", refine: "#4cc9f0", expert: "#c792ff" };

/** The person's right side is drawn darker, so that left and right can be told apart. */
export const sideShade = (a, b) => (JOINTS[a].startsWith("right") || JOINTS[b].startsWith("right") ? 0.62 : 1);

/** `#rrggbb` darkened by a factor, as a CSS colour with opacity. */
export function ink(hex, shade = 1, alpha = 1) {
  const [r, g, b] = [1, 3, 5].map(at => Math.round(parseInt(hex.slice(at, at + 2), 16) * shade));
  return `rgb(${r} ${g} ${b} / ${alpha})`;
}
