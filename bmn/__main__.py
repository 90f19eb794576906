from bmn.cli.app import main

main()
