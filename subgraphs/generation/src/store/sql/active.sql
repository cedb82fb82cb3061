SELECT id, owner, turn, lease FROM job WHERE state < 2
