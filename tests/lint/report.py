def write(tree, results, lines, caught):
    pass
