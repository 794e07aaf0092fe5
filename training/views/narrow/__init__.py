"""At which step each rule, as each library computes it, stops moving in bfloat16 and float16."""
