export const page = (r) => JSON.stringify({...r,instructions:undefined},null,1);
